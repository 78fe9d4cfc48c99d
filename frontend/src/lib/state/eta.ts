/**
 * How long work will take, said only once the rate is steady, and as a range
 * that one can remember.
 */

/** Seconds of steady rate before anything is said, and the least spread of a range. */
const steady = 10
const watched = 30
const unsteady = 0.25
/** Over how many seconds a rate is taken: what is sent goes out in lumps, as the system takes them. */
const lump = 5
const spread = 0.15

function average(numbers: number[]): number {
  return numbers.reduce((a, b) => a + b, 0) / numbers.length
}

/** Watches one piece of work: call add about once a second. */
export class Estimate {
  #rates: number[] = []

  add(rate: number): void {
    this.#rates.push(rate)
    if (this.#rates.length > watched) this.#rates.shift()
  }

  /** The shortest and longest time in seconds that is likely; undefined while nobody knows. */
  range(bytesLeft: number): [number, number] | undefined {
    const recent = this.#rates.slice(-steady)
    if (recent.length < steady || bytesLeft <= 0) return undefined
    const mean = average(recent)
    if (mean < 1) return undefined
    const first = this.#rates.length - steady + 1
    const even = recent.map((_, i) => average(this.#rates.slice(Math.max(0, first + i - lump), first + i)))
    const deviation = Math.sqrt(average(even.map((rate) => (rate - mean) ** 2))) / mean
    if (deviation > unsteady) return undefined
    const wide = Math.max(spread, deviation)
    const seconds = bytesLeft / mean
    return [seconds * (1 - wide), seconds * (1 + wide)]
  }
}

/** What is said of a range: the name of a sentence and its numbers. */
export type Words =
  | { key: 'eta.moment' }
  | { key: 'eta.minutes'; from: number; to: number }
  | { key: 'eta.hour' }
  | { key: 'eta.hours'; from: number; to: number }
  | { key: 'eta.long' }

/** Rounds a range to what one remembers. */
export function words([from, to]: [number, number]): Words {
  if (to < 60) return { key: 'eta.moment' }
  if (to < 45 * 60) {
    const low = Math.max(1, Math.floor(from / 60))
    return { key: 'eta.minutes', from: low, to: Math.max(low + 1, Math.ceil(to / 60)) }
  }
  if (to < 90 * 60) return { key: 'eta.hour' }
  if (to < 12 * 3600) {
    const low = Math.max(1, Math.floor(from / 3600))
    return { key: 'eta.hours', from: low, to: Math.max(low + 1, Math.ceil(to / 3600)) }
  }
  return { key: 'eta.long' }
}
