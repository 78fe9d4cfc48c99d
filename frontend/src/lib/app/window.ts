/** Makes the pages those of a window, where they are in one. */
import { host, type Opened } from '../backend/host'
import { t } from '../text/text.svelte'
import { handed } from './handed.svelte'
import { to } from './router.svelte'
import { says } from './says.svelte'

/** Takes what was handed over to the page that asks about it. */
export function show({ link, path, file, page }: Opened): void {
  if (link !== undefined) {
    handed.link = link
    location.hash = '#/connect/code'
  } else if (path !== undefined) {
    // A picture that is dropped there is read for the code in it.
    if (file !== undefined && location.hash === to.connectBy('code')) return
    handed.path = path
    handed.file = file ?? ''
    location.hash = '#/share'
  } else if (page !== undefined) {
    location.hash = page
  }
}

const holds = (e: DragEvent): boolean => e.dataTransfer?.types.includes('Files') === true

/**
 * Keeps a browser from opening what is dropped on it, and so leaving the pages.
 * Where that lies no browser tells: the path is asked for.
 */
export function takeDrops(): void {
  window.addEventListener('dragover', (e) => {
    if (holds(e)) e.preventDefault()
  })
  window.addEventListener('drop', (e) => {
    if (!holds(e)) return // text goes into fields
    e.preventDefault()
    if (location.hash === to.connectBy('code')) return
    location.hash = to.share
    says.done(t('share.dropped'))
  })
}

/** Tells the window its title, and when something is to be seen first. */
export function joinWindow(): void {
  if (host === undefined) {
    takeDrops()
    return
  }
  const { painted, setTitle, front } = host
  host.onOpened(show)
  const look = (): void => front(document.hasFocus() && document.visibilityState === 'visible')
  for (const event of ['focus', 'blur']) window.addEventListener(event, look)
  document.addEventListener('visibilitychange', look)
  look()
  let title = ''
  let seen = false
  new MutationObserver(() => {
    if (document.title !== title) {
      title = document.title
      setTitle(title)
    }
    if (!seen && document.querySelector('h1') !== null) {
      seen = true
      // The second frame begins once the first one was drawn.
      requestAnimationFrame(() => requestAnimationFrame(() => painted()))
    }
  }).observe(document, { childList: true, subtree: true, characterData: true })
}
