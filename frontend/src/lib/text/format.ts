/** Numbers and times as people read them, all through Intl in the chosen language. */

/**
 * Gives what makes a formatter, which then makes one for each language and form:
 * making one costs more than a hundred uses, and lists change ten times a second.
 */
export function once<O, F>(make: (language: string, options: O) => F): (language: string, options: O) => F {
  const made = new Map<string, F>()
  return (language, options) => {
    const key = `${language} ${JSON.stringify(options)}`
    const known = made.get(key)
    if (known !== undefined) return known
    const fresh = make(language, options)
    made.set(key, fresh)
    return fresh
  }
}

const numbers = once((language: string, options: Intl.NumberFormatOptions) => new Intl.NumberFormat(language, options))
const times = once((language: string, options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(language, options))
const relatives = once((language: string, options: Intl.RelativeTimeFormatOptions) => new Intl.RelativeTimeFormat(language, options))

const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const

/** A number of bytes with three significant digits, such as "1.23 GB"; decimal units. */
export function size(bytes: number, language: string): string {
  const whole = Math.max(0, bytes)
  if (whole < 1000) {
    return numbers(language, { style: 'unit', unit: 'byte', unitDisplay: 'long', maximumFractionDigits: 0 }).format(whole)
  }
  let scaled = whole
  let unit = 0
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000
    unit++
  }
  return numbers(language, {
    style: 'unit',
    unit: units[unit] ?? 'byte',
    unitDisplay: 'short',
    maximumSignificantDigits: 3,
  }).format(scaled)
}

/** Bytes of bytes, in the unit of the larger: "28.4 of 40.1 GB" in two parts. */
export function sizeOf(done: number, total: number, language: string): [string, string] {
  const of = size(total, language)
  const part = size(done, language)
  const unit = /[^\d.,\s\u00a0\u202f].*$/u
  const [a, b] = [unit.exec(part)?.[0], unit.exec(of)?.[0]]
  return [a !== undefined && a === b ? part.slice(0, part.length - a.length).trim() : part, of]
}

/** Bytes a second; undefined where nothing moves. */
export function rate(perSecond: number, language: string): string | undefined {
  if (perSecond < 1) return undefined
  if (perSecond < 1000) return `< ${size(1000, language)}/s`
  return `${size(perSecond, language)}/s`
}

/** A count with its groups separated. */
export function count(n: number, language: string): string {
  return numbers(language, {}).format(n)
}

const minute = 60_000
const dayLong = 86_400_000

/** An instant as one remembers it: "just now", "2 min ago", 14:06, yesterday 14:06, Tuesday, 12 November. */
export function when(rfc3339: string, language: string, now = new Date()): string {
  const t = new Date(rfc3339)
  if (Number.isNaN(t.getTime())) return rfc3339
  const ago = now.getTime() - t.getTime()
  const relative = relatives(language, { numeric: 'auto', style: 'short' })
  if (ago >= 0 && ago < minute) return relative.format(0, 'second')
  if (ago >= 0 && ago < 60 * minute) return relative.format(-Math.floor(ago / minute), 'minute')
  return from(rfc3339, language, now)
}

/** An instant since which something is so, never as a span: 14:06, yesterday 14:06, Tuesday, 12 November. */
export function from(rfc3339: string, language: string, now = new Date()): string {
  const t = new Date(rfc3339)
  if (Number.isNaN(t.getTime())) return rfc3339
  const clock = times(language, { hour: '2-digit', minute: '2-digit' }).format(t)
  const days = Math.round((midnight(now) - midnight(t)) / dayLong)
  if (days === 0) return clock
  if (days === 1) return `${relatives(language, { numeric: 'auto' }).format(-1, 'day')} ${clock}`
  if (days > 1 && days < 7) return times(language, { weekday: 'long' }).format(t)
  const format: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'long' }
  if (t.getFullYear() !== now.getFullYear()) format.year = 'numeric'
  return times(language, format).format(t)
}

function midnight(t: Date): number {
  return new Date(t.getFullYear(), t.getMonth(), t.getDate()).getTime()
}

/** The day of an instant, with its year: 3 November 2026. */
export function day(rfc3339: string, language: string): string {
  const t = new Date(rfc3339)
  if (Number.isNaN(t.getTime())) return rfc3339
  return times(language, { day: 'numeric', month: 'long', year: 'numeric' }).format(t)
}

/** The full instant with its zone, for tooltips. */
export function exactly(rfc3339: string, language: string): string {
  const t = new Date(rfc3339)
  if (Number.isNaN(t.getTime())) return rfc3339
  return times(language, { dateStyle: 'full', timeStyle: 'long' }).format(t)
}

/** A number of seconds in its largest unit. */
export function span(seconds: number, language: string): string {
  const steps: [number, string][] = [[86_400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']]
  const [length, unit] = steps.find(([s]) => seconds >= s) ?? [1, 'second']
  return numbers(language, { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 0 }).format(seconds / length)
}

/** A number of seconds as an estimate has it, in a unit of which there are few: "47 seconds", "3.5 minutes". */
export function roughly(seconds: number, language: string): string {
  const [length, unit] = seconds < 100 ? [1, 'second'] : seconds < 6000 ? [60, 'minute'] : [3600, 'hour']
  return numbers(language, { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: length === 1 ? 0 : 1 }).format(seconds / length)
}
