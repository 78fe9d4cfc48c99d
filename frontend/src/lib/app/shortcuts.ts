/** The keys that work everywhere. */
import { host } from '../backend/host'
import { router, to } from './router.svelte'

const places: Record<string, string> = { '1': to.overview, '2': to.needs, '3': to.transfers, ',': to.settings, n: to.connect, o: to.share }

/** What the window does; a browser has its own keys for that. */
const acts: Record<string, () => void> = host ? { w: () => host?.close(), q: () => void host?.quit() } : {}

/** The regions in the order in which F6 goes through them. */
const regions = ['.side a', 'main h1', 'main .page a, main .page button, main .page input', '.toast button']

export function shortcuts(e: KeyboardEvent): void {
  if (e.defaultPrevented) return
  const plain = (e.ctrlKey || e.metaKey) && !e.altKey && !e.shiftKey
  const place = plain ? places[e.key] : undefined
  const act = plain ? acts[e.key] : undefined
  if (act !== undefined) {
    e.preventDefault()
    act()
  } else if (place !== undefined) {
    e.preventDefault()
    router.go(place)
  } else if (e.key === 'F6') {
    e.preventDefault()
    nextRegion(e.shiftKey ? -1 : 1)
  } else if (e.key === 'Escape' && !(e.target instanceof HTMLInputElement) && document.querySelector('dialog[open]') === null) {
    document.querySelector<HTMLElement>('main a.back')?.click()
  }
}

function nextRegion(step: number): void {
  const there = regions.map((r) => document.querySelector<HTMLElement>(r)).filter((e) => e !== null)
  const active = document.activeElement
  const at = there.findIndex((e) => e === active || (e.closest('.side, .head, .page, .toast') ?? e).contains(active))
  there[(at + step + there.length) % there.length]?.focus()
}
