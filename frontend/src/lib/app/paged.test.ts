import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Paged } from './paged.svelte'

let asked: string[]
let total: number
let mark: string
let fail: boolean

function make(): Paged<string> {
  return new Paged<string>((s) => s, async (from, most, find) => {
    asked.push(`${from}+${most}${find === '' ? '' : ` ${find}`}`)
    if (fail) throw new Error('no')
    const n = find === '' ? total : 3
    return { total: n, rows: Array.from({ length: Math.max(0, Math.min(most, n - from)) }, (_, i) => `${find}${mark}${from + i}`) }
  })
}

const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)

/** A list of which somebody looked at the first 5,000 rows. */
async function walked(): Promise<Paged<string>> {
  const list = make()
  list.news()
  await settle()
  for (let at = 0; at < 5000; at += 100) {
    list.sight(at, at + 40)
    await settle()
  }
  return list
}

beforeEach(() => {
  vi.useFakeTimers()
  asked = []
  ;[total, mark, fail] = [100_000, '', false]
})
afterEach(() => vi.useRealTimers())

describe('rows that are fetched', () => {
  it('are those in sight, and few more, wherever one looks', async () => {
    const list = make()
    list.news()
    await settle()
    list.sight(0, 33)
    list.sight(99_970, 100_000)
    await settle()
    list.sight(50_090, 50_123)
    await settle()
    expect([list.total, list.at(0), list.at(99_999), list.at(50_123), list.at(40_000)]).toEqual([100_000, '0', '99999', '50123', undefined])
    expect(asked).toEqual(['0+100', '99900+100', '50000+200'])
  })
  it('are read anew where one looks, and there alone', async () => {
    const list = await walked()
    asked = []
    mark = 'new '
    for (let i = 0; i < 100; i++) list.news() // as the state changes
    await settle(2500)
    expect([asked, list.at(4920)]).toEqual([['4900+100'], 'new 4920'])
    list.sight(4800, 4840)
    await settle()
    expect([asked, list.at(4800)]).toEqual([['4900+100', '4800+100'], 'new 4800'])
  })
  it('are not kept when they are far away', async () => {
    const list = await walked()
    expect(Array.from({ length: 5000 }, (_, i) => list.at(i)).filter((row) => row !== undefined).length).toBeLessThanOrEqual(1200)
  })
  it('are others when something is searched, which is asked for once', async () => {
    const list = make()
    list.news()
    await settle()
    for (const text of ['a', 'ab', 'abc ']) list.search(text)
    await settle(300)
    expect([list.total, list.all, list.at(2), asked]).toEqual([3, 100_000, 'abc2', ['0+100', '0+100 abc']])
  })
  it('come after something went wrong, and where there were none', async () => {
    const list = make()
    fail = true
    list.news()
    await settle()
    expect([list.error, list.total]).toEqual(['no', undefined])
    ;[fail, total] = [false, 0]
    list.news()
    await settle(2500)
    expect([list.error, list.total]).toEqual(['', 0])
    total = 1
    list.news()
    await settle(2500)
    expect([list.total, list.at(0)]).toEqual([1, '0'])
  })
})
