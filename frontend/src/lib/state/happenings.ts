/**
 * What happened, as rows of a list: many files of which one device did the same
 * within a minute are one row, which can be opened.
 */
import type { Happening } from '../backend/api'

export interface Row {
  key: string
  /** The newest entry of the row. */
  h: Happening
  /** How many files the row stands for; 1 for an entry of its own. */
  n: number
  bytes: number
  /** Whether a row of many is open; undefined for an entry of its own. */
  open?: boolean
  /** It is one of those of the row above it. */
  within: boolean
}

/** From how many on files are told as one. */
const least = 3
const minute = 60_000
const ofFiles = new Set(['added', 'changed', 'deleted', 'renamed', 'two-versions'])

const files = (h: Happening): number => Math.max(1, h.count)

function alike(a: Happening, b: Happening): boolean {
  return a.what === b.what && a.folder === b.folder && a.device === b.device && a.name === b.name && Math.abs(Date.parse(a.time) - Date.parse(b.time)) < minute
}

/** Folds entries, the newest first, into rows; opened has the keys of rows that are open. */
export function fold(entries: readonly Happening[], opened: ReadonlySet<string>): Row[] {
  const rows: Row[] = []
  for (let i = 0; i < entries.length; ) {
    const [h, end] = [entries[i], group(entries, i)]
    if (h === undefined) break
    const part = entries.slice(i, end)
    const n = part.reduce((sum, e) => sum + files(e), 0)
    const bytes = part.reduce((sum, e) => sum + e.bytes, 0)
    // The oldest names the group: newer ones may still join it.
    const key = `many ${part.at(-1)?.seq ?? ''}`
    if (n >= least && ofFiles.has(h.what)) {
      const open = part.length > 1 && opened.has(key)
      rows.push({ key, h, n, bytes, within: false, ...(part.length > 1 ? { open } : {}) })
      if (open) rows.push(...part.map((e) => one(e, true)))
    } else rows.push(...part.map((e) => one(e, false)))
    i = end
  }
  return rows
}

function one(h: Happening, within: boolean): Row {
  return { key: h.seq, h, n: files(h), bytes: h.bytes, within }
}

/** Where the group ends that begins at a place. */
function group(entries: readonly Happening[], from: number): number {
  const first = entries[from]
  if (!first || !ofFiles.has(first.what)) return from + 1
  const end = entries.findIndex((e, i) => i > from && !alike(first, e))
  return end < 0 ? entries.length : end
}

/**
 * Puts a newest part in the place of what is known of it. Where nothing says that
 * what is older follows it, that is given up.
 */
export function merge(have: readonly Happening[], haveNext: string, part: readonly Happening[], next: string): { entries: Happening[]; next: string } {
  const last = Number(part.at(-1)?.seq ?? 0)
  if (next === '' || Number(have[0]?.seq ?? 0) < last) return { entries: part.slice(), next }
  const older = have.filter((h) => Number(h.seq) < last)
  return { entries: [...part, ...older], next: older.length > 0 ? haveNext : next }
}
