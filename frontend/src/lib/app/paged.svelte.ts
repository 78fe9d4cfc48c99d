/** The rows of a long list, of which only those in sight and a few around them are fetched and kept. */
import { wrong } from '../text/text.svelte'
import type { Rows } from '../ui/rows'

/** How many rows are fetched at a time. */
const step = 100
/** How many steps are kept, those nearest to what is in sight. */
const kept = 12
/** The least time in milliseconds between two looks at what changed, and how often that of a look. */
const pause = 2000
const share = 10
/** How long in milliseconds someone has to stop typing before rows are searched. */
const typing = 200

export interface Part<T> {
  total: number
  rows: T[]
}

type Fetch<T> = (from: number, most: number, find: string) => Promise<Part<T>>

export class Paged<T> implements Rows<T> {
  /** How many rows there are; undefined while nothing was read. */
  total = $state<number | undefined>(undefined)
  /** How many there are where nothing is searched, as far as is known. */
  all = $state(0)
  error = $state('')
  #steps = $state.raw(new Map<number, T[]>())
  #fetch: Fetch<T>
  #key: (row: T) => string
  #first = 0
  #last = 1
  #reading = false
  #over = false
  /** Steps that are shown until they were read anew. */
  #old = new Set<number>()
  #turn = 0
  /** The turn that the rows are of. */
  #shown = 0
  /** The first rows are to be read, whether there are any or not. */
  #begin = true
  #due = 0
  #find = ''
  #timer: ReturnType<typeof setTimeout> | undefined
  #typing: ReturnType<typeof setTimeout> | undefined

  constructor(key: (row: T) => string, fetch: Fetch<T>) {
    this.#key = key
    this.#fetch = fetch
  }

  get length(): number {
    return this.total ?? 0
  }

  at(place: number): T | undefined {
    return this.#steps.get(Math.floor(place / step))?.[place % step]
  }

  place(key: string): number {
    for (const [n, rows] of this.#steps) {
      const i = rows.findIndex((row) => this.#key(row) === key)
      if (i >= 0) return n * step + i
    }
    return -1
  }

  sight(first: number, last: number): void {
    this.#first = Math.max(0, first)
    this.#last = Math.max(this.#first + 1, last)
    void this.#read()
  }

  /** Something may have changed: what is in sight is read anew, in a while; the rest when it comes into sight. */
  news(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#renew(), Math.max(0, this.#due - Date.now()))
  }

  /** Only rows with a text are wanted; those that are here are shown until the first of them came. */
  search(text: string): void {
    clearTimeout(this.#typing)
    this.#typing = setTimeout(() => {
      if (text.trim() === this.#find) return
      this.#find = text.trim()
      this.#turn++
      this.#first = 0
      this.#last = 1
      this.#begin = true
      void this.#read()
    }, typing)
  }

  stop(): void {
    this.#over = true
    clearTimeout(this.#timer)
    clearTimeout(this.#typing)
  }

  #renew(): void {
    for (const n of this.#steps.keys()) this.#old.add(n)
    if (this.length === 0) this.#begin = true
    void this.#read()
  }

  /** Reads what is in sight and not here, or old, as long as there is some; what went out of sight meanwhile is left. */
  async #read(): Promise<void> {
    if (this.#reading) return
    this.#reading = true
    try {
      for (let n = this.#lacking(); n >= 0 && !this.#over; n = this.#lacking()) await this.#readStep(n)
      this.error = ''
    } catch (e) {
      this.error = wrong(e)
    } finally {
      this.#reading = false
    }
  }

  async #readStep(n: number): Promise<void> {
    const most = this.#covers(n + 1) && this.#lacks(n + 1) ? 2 * step : step
    const [turn, began] = [this.#turn, Date.now()]
    this.#begin = false
    this.#old.delete(n)
    const part = await this.#fetch(n * step, most, this.#find)
    this.#due = Date.now() + Math.max(pause, share * (Date.now() - began))
    if (turn !== this.#turn) return
    const steps = turn === this.#shown ? new Map(this.#steps) : new Map<number, T[]>()
    this.#shown = turn
    for (let i = 0; i < most / step; i++) {
      steps.set(n + i, part.rows.slice(i * step, (i + 1) * step))
      this.#old.delete(n + i)
    }
    const middle = (this.#first + this.#last) / 2 / step
    const far = [...steps.keys()].sort((a, b) => Math.abs(b - middle) - Math.abs(a - middle))
    for (const other of far) {
      const gone = other * step >= part.total
      if (gone || (steps.size > kept && !this.#covers(other))) {
        steps.delete(other)
        this.#old.delete(other)
      }
    }
    this.#steps = steps
    this.total = part.total
    if (this.#find === '') this.all = part.total
  }

  #covers(n: number): boolean {
    return n * step < this.#last && (n + 1) * step > this.#first
  }

  #lacks(n: number): boolean {
    return !this.#steps.has(n) || this.#old.has(n)
  }

  /** The first step in sight that has to be read, -1 for none. */
  #lacking(): number {
    if (this.#begin) return 0
    const end = Math.min(this.#last, this.total ?? this.#last)
    for (let n = Math.floor(this.#first / step); n * step < end; n++) {
      if (this.#lacks(n)) return n
    }
    return -1
  }
}
