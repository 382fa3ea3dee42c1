import type { Attachment } from 'multichat/slim'
import { useState } from 'preact/hooks'
import { shownName } from '../model/names.ts'
import { safeUrl, sizeOf } from '../model/text.ts'
import { Icon } from './icons.tsx'

/** A file, as a link. A picture is fetched only when it is asked for: fetching it tells its owner who looks. */
export function File({ attachment, tabIndex }: { attachment: Attachment; tabIndex: number }) {
  const [isShown, setShown] = useState(false)
  const [isBroken, setBroken] = useState(false)
  const { url, name, mime, size } = attachment
  const href = safeUrl(url)
  const label = shownName(name || fileName(url))
  if (!href) return <p class="file">{label} (not a web address)</p>
  const isPicture = mime?.startsWith('image/') ?? /\.(avif|gif|jpe?g|png|webp)$/i.test(new URL(href).pathname)
  return (
    <div class="file">
      <p>
        <span class="file-name">
          <Icon name="file" />
          <a href={href} target="_blank" rel="noopener noreferrer" tabIndex={tabIndex}>
            <bdi>{label}</bdi>
          </a>
        </span>
        <span class="aside">
          {size === undefined ? '' : `${sizeOf(size)}, `}
          <bdi>{new URL(href).host}</bdi>
        </span>
        {isPicture && (
          <button
            type="button"
            class="quiet"
            tabIndex={tabIndex}
            aria-expanded={isShown}
            onClick={() => setShown(!isShown)}
          >
            {isShown ? 'Hide picture' : 'Show picture'}
          </button>
        )}
      </p>
      {isShown && isBroken && <p class="aside">The picture cannot be shown.</p>}
      {isShown && !isBroken && (
        <img
          class="picture"
          src={href}
          alt={label}
          referrerpolicy="no-referrer"
          onError={() => setBroken(true)}
          // It was asked for, perhaps at the lower end of what is seen.
          onLoad={({ currentTarget }) => currentTarget.scrollIntoView({ block: 'nearest' })}
        />
      )}
    </div>
  )
}

function fileName(url: string): string {
  try {
    const { pathname, host } = new URL(url)
    return decodeURIComponent(pathname.slice(pathname.lastIndexOf('/') + 1)) || host
  } catch {
    return url
  }
}
