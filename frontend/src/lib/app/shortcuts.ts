/** The keys that work everywhere: the one table that acts and that the list of keys is made of. */
import { host } from '../backend/host'
import type { Key } from '../text/text.svelte'
import { pauseAll } from './acts'
import { panel } from './panel.svelte'
import { router, to } from './router.svelte'
import { says } from './says.svelte'

export interface Shortcut {
  /** Such as "mod+k": mod is Ctrl, and Command on a Mac. The last one is the key itself, in lower case. */
  keys: string[]
  says: Key
  /** What it does; a key of the system, or of a list, is told only. It gives false where it does nothing now. */
  run?: (e: KeyboardEvent) => unknown
  /** It works although one writes in a field. */
  inFields?: boolean
}

const go = (hash: string) => (): void => router.go(hash)

export const everywhere: Shortcut[] = [
  { keys: ['mod+k'], says: 'key.palette', run: () => panel.show('go'), inFields: true },
  { keys: ['mod+f'], says: 'key.find', run: find, inFields: true },
  { keys: ['mod+1'], says: 'page.overview', run: go(to.overview), inFields: true },
  { keys: ['mod+2'], says: 'page.needs', run: go(to.needs), inFields: true },
  { keys: ['mod+3'], says: 'page.transfers', run: go(to.transfers), inFields: true },
  { keys: ['mod+4'], says: 'page.activity', run: go(to.activity), inFields: true },
  { keys: ['mod+,'], says: 'page.settings', run: go(to.settings), inFields: true },
  { keys: ['mod+n'], says: 'page.connect', run: go(to.connect), inFields: true },
  { keys: ['mod+o'], says: 'page.share', run: go(to.share), inFields: true },
  { keys: ['mod+z'], says: 'key.undo', run: undo },
  { keys: ['mod+shift+p'], says: 'key.pause-all', run: () => void pauseAll(), inFields: true },
  { keys: ['f6', 'shift+f6'], says: 'key.region', run: (e) => nextRegion(e.shiftKey ? -1 : 1), inFields: true },
  { keys: ['tab', 'shift+tab'], says: 'key.next' },
  { keys: ['escape'], says: 'key.escape', run: back },
  { keys: ['alt+arrowleft'], says: 'key.back', run: () => history.back() },
  { keys: ['alt+arrowright'], says: 'key.forward', run: () => history.forward() },
  { keys: ['?', 'mod+?'], says: 'key.keys', run: () => panel.show('keys') },
  // What the window does; a browser has its own keys for that.
  ...(host
    ? [
        { keys: ['mod+w'], says: 'key.close', run: () => host?.close(), inFields: true },
        { keys: ['mod+q'], says: 'key.quit', run: () => void host?.quit(), inFields: true },
      ] satisfies Shortcut[]
    : []),
]

/** What lists do, each for itself. */
export const inLists: Shortcut[] = [
  { keys: ['arrowup', 'arrowdown'], says: 'key.move' },
  { keys: ['pageup', 'pagedown'], says: 'key.page' },
  { keys: ['home', 'end'], says: 'key.ends' },
  { keys: ['enter'], says: 'key.open' },
]

const mac = /Mac|iPhone|iPad/.test(navigator.userAgent)

/** The key that is pressed, as the table writes it. The shift that a sign such as "?" needs is no part of it. */
export function pressed(e: KeyboardEvent): string {
  const key = e.key.toLowerCase()
  const sign = key.length === 1 && key === key.toUpperCase()
  const mod = mac ? e.metaKey : e.ctrlKey
  return [mod ? 'mod' : '', e.altKey ? 'alt' : '', e.shiftKey && !sign ? 'shift' : '', key].filter((part) => part !== '').join('+')
}

/** A combination in the signs of this system. */
export function written(keys: string, word: (key: Key) => string): string[] {
  const signs: Record<string, string> = {
    mod: mac ? '⌘' : word('key.ctrl'), shift: mac ? '⇧' : word('key.shift'), alt: mac ? '⌥' : 'Alt', arrowup: '↑', arrowdown: '↓', arrowleft: '←', arrowright: '→',
    pageup: word('key.pageup'), pagedown: word('key.pagedown'), home: word('key.home'), end: word('key.end'), enter: word('key.enter'), escape: 'Esc', tab: 'Tab',
  }
  return keys.split('+').map((key) => signs[key] ?? key.toUpperCase())
}

export function shortcuts(e: KeyboardEvent): void {
  if (e.defaultPrevented || document.querySelector('dialog[open]') !== null) return
  const now = pressed(e)
  const found = everywhere.find((s) => s.run !== undefined && s.keys.includes(now))
  if (found?.run === undefined || (!found.inFields && writes(e.target))) return
  if (found.run(e) !== false) e.preventDefault()
}

function writes(target: EventTarget | null): boolean {
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || (target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'file'].includes(target.type))
}

/** Leads to the field that narrows the list of the page; a page without one leaves it to the browser. */
function find(): boolean {
  const field = document.querySelector<HTMLInputElement>('main [data-find]')
  field?.focus()
  field?.select()
  return field !== null
}

function undo(): boolean {
  const last = says.toast?.undo
  if (last === undefined) return false
  says.dismiss()
  void last()
  return true
}

function back(): boolean {
  const link = document.querySelector<HTMLElement>('main a.back')
  link?.click()
  return link !== null
}

/** The regions in the order in which F6 goes through them. */
const regions = ['.side a', 'main h1', 'main .page a, main .page button, main .page input', '.toast button']

function nextRegion(step: number): void {
  const there = regions.map((r) => document.querySelector<HTMLElement>(r)).filter((e) => e !== null)
  const active = document.activeElement
  const at = there.findIndex((e) => e === active || (e.closest('.side, .head, .page, .toast') ?? e).contains(active))
  there[(at + step + there.length) % there.length]?.focus()
}
