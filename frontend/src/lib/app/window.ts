/** Makes the pages those of a window, where they are in one. */
import { host, type Opened } from '../backend/host'
import { handed } from './handed.svelte'

/** Takes what was handed over to the page that asks about it. */
export function show({ link, path, page }: Opened): void {
  if (link !== undefined) {
    handed.link = link
    location.hash = '#/connect/code'
  } else if (path !== undefined) {
    handed.path = path
    location.hash = '#/share'
  } else if (page !== undefined) {
    location.hash = page
  }
}

/** Tells the window its title, and when something is to be seen first. */
export function joinWindow(): void {
  if (host === undefined) return
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
