/** What happened since the start, as far as it was asked for: the newest part, and older ones on demand. */
import { api, type ActivityPart, type Asking, type Happening } from '../backend/api'
import { merge } from '../state/happenings'
import { wrong } from '../text/text.svelte'

/** The least time in milliseconds between two questions for news. */
const pause = 1000

export class Activity {
  entries = $state.raw<Happening[]>([])
  /** What is said of the whole; undefined while nothing was read. */
  about = $state.raw<ActivityPart | undefined>(undefined)
  error = $state('')
  #next = ''
  #asked: Asking = {}
  #turn = 0
  #reading = false
  #last = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  /** Begins anew with other wishes. */
  ask(asked: Asking): void {
    this.#asked = asked
    this.#turn++
    this.entries = []
    this.about = undefined
    this.#next = ''
    this.#last = 0
    this.news()
  }

  /** Asks for what is new, at most once a second. */
  news(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#newest(), Math.max(0, this.#last + pause - Date.now()))
  }

  /** Asks for the next older part, where there is one. */
  async older(): Promise<void> {
    if (this.#next === '' || this.#reading) return
    const turn = this.#turn
    this.#reading = true
    try {
      const part = await api.activity({ ...this.#asked, before: this.#next })
      if (turn !== this.#turn) return
      const last = Number(this.entries.at(-1)?.seq ?? 0)
      this.entries = [...this.entries, ...part.entries.filter((h) => Number(h.seq) < last)]
      this.#next = part.next
    } catch (e) {
      if (turn === this.#turn) this.error = wrong(e)
    } finally {
      this.#reading = false
    }
  }

  stop(): void {
    this.#turn++
    clearTimeout(this.#timer)
  }

  async #newest(): Promise<void> {
    const turn = this.#turn
    this.#last = Date.now()
    try {
      const part = await api.activity(this.#asked)
      if (turn !== this.#turn) return
      // An engine that was started anew counts from the beginning.
      const have = this.about?.since === part.since ? this.entries : []
      const merged = merge(have, this.#next, part.entries, part.next)
      this.entries = merged.entries
      this.#next = merged.next
      this.about = part
      this.error = ''
    } catch (e) {
      if (turn === this.#turn) this.error = wrong(e)
    }
  }
}
