/** What stands at a path that someone types, before it is shared. */
import { api, type Stands } from '../backend/api'
import { wrong } from '../text/text.svelte'

/** How long in milliseconds someone has to stop typing before it is looked. */
const typing = 400

export class Look {
  found = $state.raw<Stands | undefined>(undefined)
  /** Why it cannot be shared, or why nothing can be told. */
  error = $state('')
  looking = $state(false)
  #path = ''
  #timer: ReturnType<typeof setTimeout> | undefined

  /** Looks at a path in a moment; what was said of another is forgotten at once. */
  at(path: string): void {
    if (path === this.#path) return
    this.stop()
    this.#path = path
    this.found = undefined
    this.error = ''
    this.looking = path !== ''
    if (path !== '') this.#timer = setTimeout(() => void this.#look(path), typing)
  }

  /** Gives what stands at the path, as soon as it is known; undefined where that cannot be told. */
  async now(): Promise<Stands | undefined> {
    if (this.looking) {
      clearTimeout(this.#timer)
      await this.#look(this.#path)
    }
    return this.found
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#path = ''
  }

  async #look(path: string): Promise<void> {
    let [found, error]: [Stands | undefined, string] = [undefined, '']
    try {
      found = await api.lookAt(path)
      if (found?.refused) error = wrong({ message: found.refused.text, code: found.refused.code, param: { item: found.refused.item } })
    } catch (e) {
      error = wrong(e)
    }
    if (path !== this.#path) return
    this.found = error === '' ? found : undefined
    this.error = error
    this.looking = false
  }
}
