import { useEffect, useRef } from 'preact/hooks'
import type { Field } from '../model/failure.ts'
import { cancel, enter, type Form, failure, form, isJoining } from '../state/app.ts'
import { Icon, Mark } from './icons.tsx'

export function Join() {
  const typed = form.value
  const why = failure.value
  const isBusy = isJoining.value
  const alert = useRef<HTMLDivElement>(null)
  const shape = useRef<HTMLFormElement>(null)

  useEffect(() => {
    if (!why) return
    const field = why.field && shape.current?.elements.namedItem(why.field)
    const place = field instanceof HTMLElement ? field : alert.current
    place?.focus()
  }, [why])

  useEffect(() => {
    if (failure.peek()) return
    const empty = (['name', 'key'] as const).find((field) => !form.peek()[field])
    const field = shape.current?.elements.namedItem(empty ?? 'join')
    if (field instanceof HTMLElement) field.focus()
  }, [])

  return (
    <main class="door">
      <div class="card">
        <header>
          <Mark />
          <h1>multichat</h1>
          <p>One conversation, on every platform that is connected to it.</p>
        </header>
        {why && (
          <div class="failure" role="alert" id="failure" ref={alert} tabIndex={-1}>
            <Icon name="warning" />
            <div>
              <p class="failure-title">{why.title}</p>
              <p>{why.advice}</p>
            </div>
          </div>
        )}
        <form
          ref={shape}
          aria-label="Join"
          onSubmit={(event) => {
            event.preventDefault()
            void enter()
          }}
        >
          <div class="pair">
            <Input name="server" label="Server address" autocomplete="url" isRequired />
            <Input name="path" label="Room path" placeholder="optional" autocomplete="off" />
          </div>
          <Input name="name" label="Your name" autocomplete="username" isRequired />
          <Input name="key" label="Key" isSecret autocomplete="current-password" isRequired />
          <label class="check">
            <input
              type="checkbox"
              checked={typed.keepKey}
              onChange={({ currentTarget }) => update({ keepKey: currentTarget.checked })}
            />
            <span>Remember the key on this device</span>
          </label>
          <div class="buttons">
            <button type="submit" name="join" class="primary" disabled={isBusy}>
              {isBusy ? 'Joining…' : 'Join'}
            </button>
            {isBusy && (
              <button type="button" class="secondary" onClick={cancel}>
                Cancel
              </button>
            )}
          </div>
        </form>
      </div>
      <p class="unseen" role="status">
        {isBusy ? 'Joining' : ''}
      </p>
    </main>
  )
}

interface InputProps {
  readonly name: Field
  readonly label: string
  readonly placeholder?: string
  readonly autocomplete: string
  readonly isRequired?: boolean
  readonly isSecret?: boolean
}

function Input({ name, label, placeholder = '', autocomplete, isSecret = false, isRequired = false }: InputProps) {
  const isWrong = failure.value?.field === name
  const common = {
    id: name,
    name,
    value: form.value[name],
    placeholder,
    autocomplete,
    required: isRequired,
    spellcheck: false,
    autocapitalize: 'off',
    'aria-invalid': isWrong || undefined,
    'aria-describedby': isWrong ? 'failure' : undefined,
    onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) => update({ [name]: currentTarget.value }),
  } as const
  return (
    <div class="input">
      <label for={name}>{label}</label>
      {isSecret ? <input {...common} type="password" /> : <input {...common} type="text" />}
    </div>
  )
}

function update(changes: Partial<Form>): void {
  form.value = { ...form.peek(), ...changes }
}
