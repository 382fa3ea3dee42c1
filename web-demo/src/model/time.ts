// Times for people. `now` is an argument.

const DAY = 86_400_000

/** The page speaks English; of its kinds the reader's own, which decides on 12 or 24 hours. */
export function localeOf(languages: readonly string[]): string {
  return languages.find((language) => /^en\b/i.test(language)) ?? 'en-GB'
}

/** Formats times as those of one place do. */
export class Times {
  readonly #clock: Intl.DateTimeFormat
  readonly #exact: Intl.DateTimeFormat
  readonly #day: Intl.DateTimeFormat
  readonly #dayOfYear: Intl.DateTimeFormat

  constructor(locale: string) {
    this.#clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' })
    this.#exact = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'long' })
    this.#day = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' })
    this.#dayOfYear = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'long', year: 'numeric' })
  }

  /** The time of day. */
  clock(time: number): string {
    return isTime(time) ? this.#clock.format(time) : '?'
  }

  /** The same where there is little room: the half of the day is plain from what is around it. */
  short(time: number): string {
    if (!isTime(time)) return '?'
    const parts = this.#clock.formatToParts(time).filter(({ type }) => type !== 'dayPeriod')
    return parts
      .map(({ value }) => value)
      .join('')
      .trim()
  }

  /** All there is to know about it. */
  exact(time: number): string {
    return isTime(time) ? this.#exact.format(time) : 'unknown time'
  }

  /** The name of the day. */
  day(time: number, now: number): string {
    if (!isTime(time)) return 'Unknown day'
    if (isSameDay(time, now)) return 'Today'
    if (isSameDay(time, dayBefore(now))) return 'Yesterday'
    const isThisYear = new Date(time).getFullYear() === new Date(now).getFullYear()
    return (isThisYear ? this.#day : this.#dayOfYear).format(time)
  }
}

/** As it is written in `<time datetime>`. */
export function machine(time: number): string {
  return isTime(time) ? new Date(time).toISOString() : ''
}

/** Whether two times are on the same day here. */
export function isSameDay(one: number, other: number): boolean {
  return Math.abs(one - other) < 2 * DAY && new Date(one).toDateString() === new Date(other).toDateString()
}

/** A time on the day before; days have 23 hours at times. */
function dayBefore(now: number): number {
  const date = new Date(now)
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() - 1, 12).getTime()
}

/** A router may say any number. */
const isTime = (time: number): boolean => Math.abs(time) <= 8.64e15

/** Whole seconds until then, at least 0. */
export function secondsUntil(then: number, now: number): number {
  return Math.max(0, Math.ceil((then - now) / 1000))
}
