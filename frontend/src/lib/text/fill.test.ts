import { describe, expect, it } from 'vitest'
import { fill } from './fill'
import { day, rate, size, sizeOf, span, when } from './format'
import { bare, cut, shown, trail } from './names'

const now = new Date('2026-11-21T14:10:00')

describe('a sentence', () => {
  const cases: [string, Record<string, string>, string | undefined][] = [
    ['plain', {}, 'plain'],
    ['{device} is out of reach', { device: 'desk' }, 'desk is out of reach'],
    ['{device} is out of reach', {}, undefined],
    ['[Last seen {time}. ]It waits.', {}, 'It waits.'],
    ['{n|One file goes|# files go} over', { n: '1' }, 'One file goes over'],
    ['{n|One file goes|# files go} over', { n: '12000' }, '12,000 files go over'],
    ['{n} of {total}', { n: '5012', total: '18340' }, '5,012 of 18,340'],
    ['on {devices}', { devices: 'a\nb\nc' }, 'on a, b, and c'],
    ['needs {need}', { need: '1500000000' }, 'needs 1.5 GB'],
    ['broken {', {}, undefined],
  ]
  it.each(cases)('%s with %j', (sentence, params, want) => {
    const got = fill(sentence, params, 'en', now)
    expect(got === undefined ? undefined : bare(got)).toBe(want)
  })
  it('keeps a name from turning the words around it', () => {
    expect(fill('{device} is here', { device: 'a\u202Eb' }, 'en')).toBe('\u2068a⟨RLO⟩b\u2069 is here')
  })
})

describe('numbers and times', () => {
  it.each([[0, '0 bytes'], [1, '1 byte'], [641, '641 bytes'], [999, '999 bytes'], [1000, '1 kB'], [28_400_000, '28.4 MB'], [999_600, '1 MB'], [2e15, '2 PB']])(
    '%d bytes',
    (n, want) => expect(size(n, 'en')).toBe(want),
  )
  it('speaks German', () => {
    expect(size(40_100_000_000, 'de').replaceAll('\u00a0', ' ')).toBe('40,1 GB')
  })
  it('gives bytes of bytes one unit', () => {
    expect(sizeOf(28.4e9, 40.1e9, 'en')).toEqual(['28.4', '40.1 GB'])
    expect(sizeOf(641, 40.1e9, 'en')).toEqual(['641 bytes', '40.1 GB'])
  })
  it('says less than a kilobyte a second, then nothing', () => {
    expect([rate(0, 'en'), rate(300, 'en'), rate(28e6, 'en')]).toEqual([undefined, '< 1 kB/s', '28 MB/s'])
  })
  it.each([
    ['2026-11-21T14:09:30', 'now'],
    ['2026-11-21T14:08:00', '2 min. ago'],
    ['2026-11-21T09:06:00', '09:06 AM'],
    ['2026-11-20T14:06:00', 'yesterday 02:06 PM'],
    ['2026-11-17T14:06:00', 'Tuesday'],
    ['2026-11-12T14:06:00', 'November 12'],
    ['2025-11-12T14:06:00', 'November 12, 2025'],
    ['not a time', 'not a time'],
  ])('%s', (time, want) => expect(when(time, 'en', now).replaceAll(/[\u202f\u00a0]/g, ' ')).toBe(want))
  it('has a day with its year', () => {
    expect([day('2026-11-03T10:00:00Z', 'en-GB'), day('2026-11-03T10:00:00Z', 'de'), day('?', 'en')]).toEqual(['3 November 2026', '3. November 2026', '?'])
  })
  it('gives a span in its largest unit', () => expect([span(59, 'en'), span(7200, 'en')]).toEqual(['59 seconds', '2 hours']))
})

describe('names', () => {
  it('makes visible what could not be seen', () => {
    expect(shown('a\u202Ecod.exe\n\u0007\u200F')).toBe('a⟨RLO⟩cod.exe⏎⟨07⟩⟨RLM⟩')
  })
  it('cuts in the middle and keeps the extension', () => {
    expect(cut('Grandma’s 80th, the whole family before dinner.jpg', 40)).toBe('Grandma’s 80th, the whole fam…dinner.jpg')
    expect(cut('short.txt', 40)).toBe('short.txt')
    expect(cut('👨‍👩‍👧‍👦'.repeat(60), 12)).toBe(`${'👨‍👩‍👧‍👦'.repeat(5)}…${'👨‍👩‍👧‍👦'.repeat(6)}`)
  })
  it('cuts directories at their bounds from the left', () => {
    expect(trail('a/b/c/d/e')).toBe('… / c / d / e')
    expect(trail('2025/Lisbon')).toBe('2025 / Lisbon')
    expect(trail('')).toBe('')
  })
})
