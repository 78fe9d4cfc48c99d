/** What goes on between this device and those that are not connected yet. */
import { untrack } from 'svelte'
import { SvelteMap, SvelteSet } from 'svelte/reactivity'
import type { Asked, Run, Snapshot } from '../backend/api'
import { bare } from '../text/names'
import { t } from '../text/text.svelte'
import { says } from './says.svelte'

/** Runs that ended and that someone has put aside. */
const aside = new SvelteSet<string>()

export function putAside(run: Run): void {
  aside.add(run.id)
  failed.delete(run.id)
}

/**
 * Runs that came to nothing. The engine forgets them after a while; here each
 * stands until it is put aside, or until there is a newer one with that device.
 */
const failed = new SvelteMap<string, Run>()

/** The runs that are shown: those that go on, and those that ended and were not put aside. */
export function runs(s: Snapshot): Run[] {
  const now = s.pairing.runs
  const forgotten = [...failed.values()].filter((r) => !now.some((o) => o.id === r.id || withSame(o, r)))
  return [...now, ...forgotten].filter((r) => !aside.has(r.id))
}

function withSame(a: Run, b: Run): boolean {
  return a.device === b.device && a.name === b.name
}

/** Keeps what came to nothing in a state. */
function keepFailed(s: Snapshot): void {
  for (const r of s.pairing.runs) {
    for (const old of failed.values()) if (old.id !== r.id && withSame(old, r)) failed.delete(old.id)
    if (r.state === 'failed' && !failed.has(r.id)) failed.set(r.id, r)
  }
}

/** How many answers a person owes to devices that want to connect. */
export function askedOf(s: Snapshot): number {
  return s.pairing.runs.filter((r) => r.state === 'asking').length + s.pairing.requests.length
}

let told = new Set<string>()

/** Interrupts whoever does not see it: digits wait to be compared, or a device asks. */
export function announceAsked(s: Snapshot): void {
  untrack(() => keepFailed(s))
  const now = new Set<string>()
  const say = (key: string, sentence: () => string): void => {
    now.add(key)
    if (!told.has(key)) says.interrupt(bare(sentence()))
  }
  for (const r of s.pairing.runs) {
    if (r.state === 'asking') say(`run ${r.id}`, () => t('run.say', { device: nameOf(r), digits: r.digits.replaceAll(' ', '').split('').join(' ') }))
    if (r.state === 'connected') say(`done ${r.id}`, () => t('run.done', { device: nameOf(r) }))
  }
  for (const a of s.pairing.requests) say(`asked ${a.id}`, () => t('asked.title', { device: calledBy(a) }))
  told = now
}

function nameOf(r: Run): string {
  return r.name === '' ? r.device.slice(0, 7) : r.name
}

export function calledBy(a: Asked): string {
  return a.name === '' ? a.device.slice(0, 7) : a.name
}

/** The last group of a device ID, which is what people compare. */
export function lastGroup(id: string): string {
  return id.slice(id.lastIndexOf('-') + 1)
}
