/** The speed of this device over the last five minutes, one point a second. */
import type { Snapshot } from '../backend/api'
import { Estimate, words, type Words } from './eta'
import { leftHere } from './states'

/** Points kept: five minutes. */
export const kept = 300

/** For how many seconds hardly anything, in bytes a second, is sent by a device that is not asked. */
const patience = 15
const hardly = 1000

/** Of how many of the last seconds a shown rate is the mean. */
const mean = 3

export interface Point {
  up: number
  down: number
}

/** What goes one way, and for how many seconds hardly anything did. */
class Way {
  estimate = new Estimate()
  still = 0
}

export class Speed {
  points = $state.raw<Point[]>([])
  /** The rates shown, changed once a second. */
  now = $state.raw<Point>({ up: 0, down: 0 })
  /** What is left, in bytes. */
  left = $state.raw<Point>({ up: 0, down: 0 })
  /** How long all of it takes, changed at most every five seconds; undefined while nobody knows. */
  eta = $state.raw<Words | undefined>(undefined)
  /** The same in seconds, changed once a second. */
  seconds = $state.raw<number | undefined>(undefined)
  /** Whether hardly anything was sent for a while, so that nobody seems to ask for it. */
  idle = $state(false)
  /** What comes here, under the empty ID, and what goes to each device. */
  #ways = new Map<string, Way>()
  #age = 0

  /** Takes the state of one second. */
  tick(s: Snapshot): void {
    const point = { up: total(s, (d) => d.out_rate), down: total(s, (d) => d.in_rate) }
    this.#push(point)
    const last = this.points.slice(-patience)
    this.idle = last.length === patience && last.every((p) => p.up < hardly)
    const down = s.folders.reduce((n, f) => n + (f.state === 'syncing' ? leftHere(f) : 0), 0)
    const up = s.devices.filter((d) => d.connected).map((d) => ({ id: d.id, rate: d.out_rate, left: Object.values(d.folders).reduce((n, f) => n + f.need_bytes, 0) }))
    this.left = { up: Math.max(0, ...up.map((w) => w.left)), down }
    const range = this.#range([{ id: '', rate: point.down, left: down }, ...up])
    this.seconds = range && (range[0] + range[1]) / 2
    if (this.#age++ % 5 === 0) this.eta = range && words(range)
  }

  /** How long the slowest takes of what goes on at the same time. */
  #range(now: { id: string; rate: number; left: number }[]): [number, number] | undefined {
    let longest: [number, number] | undefined
    const before = this.#ways
    this.#ways = new Map()
    const going = now.filter((w) => w.left > 0).map(({ id, rate, left }) => {
      const way = before.get(id) ?? new Way()
      this.#ways.set(id, way)
      way.estimate.add(rate)
      way.still = rate < hardly ? way.still + 1 : 0
      return { way, left }
    }).filter(({ way }) => way.still < patience)
    for (const { way, left } of going) {
      const range = way.estimate.range(left)
      if (range === undefined) return undefined
      if (longest === undefined || range[1] > longest[1]) longest = range
    }
    return longest
  }

  /** Takes a second of which nobody told anything: nothing is said to move. */
  still(): void {
    this.#push({ up: 0, down: 0 })
    this.now = { up: 0, down: 0 }
    this.idle = false
    this.left = { up: 0, down: 0 }
    this.eta = undefined
    this.seconds = undefined
  }

  #push(point: Point): void {
    this.points = [...this.points.slice(1 - kept), point]
    const last = this.points.slice(-mean)
    this.now = { up: average(last, (p) => p.up), down: average(last, (p) => p.down) }
  }
}

function total(s: Snapshot, of: (d: Snapshot['devices'][number]) => number): number {
  return s.devices.reduce((n, d) => n + of(d), 0)
}

function average(points: Point[], of: (p: Point) => number): number {
  return points.length === 0 ? 0 : points.reduce((n, p) => n + of(p), 0) / points.length
}

/** The top of a scale that holds a value: 1, 2 or 5 times a power of ten. */
export function scale(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)))
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= value) ?? 10 * power
}
