/** What goes on between this device and those that are not connected yet. */
import { SvelteSet } from 'svelte/reactivity'
import type { Asked, Run, Snapshot } from '../backend/api'
import { bare } from '../text/names'
import { t } from '../text/text.svelte'
import { says } from './says.svelte'

/** Runs that ended and that someone has put aside. */
const aside = new SvelteSet<string>()

export function putAside(run: Run): void {
  aside.add(run.id)
}

/** The runs that are shown: those that go on, and those that ended a moment ago. */
export function runs(s: Snapshot): Run[] {
  return s.pairing.runs.filter((r) => !aside.has(r.id))
}

/** How many answers a person owes to devices that want to connect. */
export function askedOf(s: Snapshot): number {
  return s.pairing.runs.filter((r) => r.state === 'asking').length + s.pairing.requests.length
}

let told = new Set<string>()

/** Interrupts whoever does not see it: digits wait to be compared, or a device asks. */
export function announceAsked(s: Snapshot): void {
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
