/** What is said once: to screen readers politely, and in a toast when something was done. */

/** The least time in milliseconds between two polite announcements. */
const quiet = 10_000
const toastLasts = 10_000

class Says {
  polite = $state('')
  urgent = $state('')
  toast = $state.raw<{ text: string; undo?: () => Promise<unknown> } | undefined>(undefined)
  #last = 0
  #waiting: ReturnType<typeof setTimeout> | undefined
  #toastEnds: ReturnType<typeof setTimeout> | undefined

  /** Tells screen readers; of several within ten seconds the newest. */
  tell(text: string): void {
    clearTimeout(this.#waiting)
    const wait = Math.max(0, this.#last + quiet - Date.now())
    this.#waiting = setTimeout(() => {
      this.#last = Date.now()
      this.polite = text
    }, wait)
  }

  /** Interrupts: for a folder that stopped, and for what waits for an answer. */
  interrupt(text: string): void {
    this.urgent = text
  }

  done(text: string, undo?: () => Promise<unknown>): void {
    clearTimeout(this.#toastEnds)
    this.toast = undo ? { text, undo } : { text }
    this.#toastEnds = setTimeout(() => (this.toast = undefined), toastLasts)
  }

  dismiss(): void {
    clearTimeout(this.#toastEnds)
    this.toast = undefined
  }
}

export const says = new Says()
