/** Where two texts differ, line by line, for showing them side by side. */

export interface Row {
  /** 'same' on both, 'changed', only 'left' or only 'right', or a 'gap' of n equal lines that are not shown. */
  kind: 'same' | 'changed' | 'left' | 'right' | 'gap'
  /** Line numbers from 1, and the lines. */
  left?: [number, string]
  right?: [number, string]
  n?: number
}

/** How many equal lines are shown around a difference. */
const context = 3
/** Beyond this many comparisons what lies between the first and the last difference counts as different. */
const most = 4_000_000

export function diff(left: string, right: string): Row[] {
  const [a, b] = [lines(left), lines(right)]
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head++
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++
  const rows: Row[] = []
  const same = (i: number, j: number): void => void rows.push({ kind: 'same', left: [i + 1, a[i] ?? ''], right: [j + 1, b[j] ?? ''] })
  for (let i = 0; i < head; i++) same(i, i)
  between(a, b, head, a.length - tail, b.length - tail, rows, same)
  for (let i = tail; i > 0; i--) same(a.length - i, b.length - i)
  return folded(rows)
}

function lines(text: string): string[] {
  const all = text.split(/\r?\n/)
  if (all.at(-1) === '') all.pop()
  return all
}

/** Finds the longest common lines of what lies between the equal ends. */
function between(a: string[], b: string[], from: number, endA: number, endB: number, rows: Row[], same: (i: number, j: number) => void): void {
  const [n, m] = [endA - from, endB - from]
  const length: Uint32Array[] = []
  const known = n * m <= most
  if (known) {
    for (let i = 0; i <= n; i++) length.push(new Uint32Array(m + 1))
    for (let i = n - 1; i >= 0; i--) {
      for (let j = m - 1; j >= 0; j--) {
        const [row, next] = [length[i] as Uint32Array, length[i + 1] as Uint32Array]
        row[j] = a[from + i] === b[from + j] ? (next[j + 1] as number) + 1 : Math.max(next[j] as number, row[j + 1] as number)
      }
    }
  }
  let [i, j] = [0, 0]
  const [lost, won]: [number[], number[]] = [[], []]
  const flush = (): void => {
    for (let k = 0; k < Math.max(lost.length, won.length); k++) {
      const [l, r] = [lost[k], won[k]]
      const row: Row = { kind: l === undefined ? 'right' : r === undefined ? 'left' : 'changed' }
      if (l !== undefined) row.left = [from + l + 1, a[from + l] ?? '']
      if (r !== undefined) row.right = [from + r + 1, b[from + r] ?? '']
      rows.push(row)
    }
    lost.length = won.length = 0
  }
  while (i < n || j < m) {
    if (known && i < n && j < m && a[from + i] === b[from + j]) {
      flush()
      same(from + i++, from + j++)
    } else if (j >= m || (i < n && (!known || (length[i + 1]?.[j] ?? 0) >= (length[i]?.[j + 1] ?? 0)))) lost.push(i++)
    else won.push(j++)
  }
  flush()
}

/** Leaves out long runs of equal lines. */
function folded(rows: Row[]): Row[] {
  const out: Row[] = []
  for (let at = 0; at < rows.length; ) {
    let end = at
    while (end < rows.length && rows[end]?.kind === 'same') end++
    if (end === at) {
      out.push(rows[at++] as Row)
      continue
    }
    const [before, after] = [at === 0 ? 0 : context, end === rows.length ? 0 : context]
    if (end - at <= before + after + 1) out.push(...rows.slice(at, end))
    else out.push(...rows.slice(at, at + before), { kind: 'gap', n: end - at - before - after }, ...rows.slice(end - after, end))
    at = end
  }
  return out
}
