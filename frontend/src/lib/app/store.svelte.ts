/** The state of the engine as the pages see it. */
import type { Device, Folder, Snapshot } from '../backend/api'
import { subscribe, type Health } from '../backend/transport'
import { sharers } from '../state/states'
import { cut, shown } from '../text/names'
import { Speed } from '../state/speed.svelte'

/** How many signs of a name a list to choose from has room for. */
const plainLength = 40

/** How long in milliseconds the engine may be silent before it is said. */
const patience = 2000
const tooLong = 15_000

class Store {
  snapshot = $state.raw<Snapshot | undefined>(undefined)
  health = $state<Health>('lost')
  /** 'starting' and 'gone' say that nobody has answered for a while. */
  silence = $state<'' | 'starting' | 'gone'>('')
  /** The time, once a second while the pages are seen. */
  now = $state(Date.now())
  speed = new Speed()
  #timers: ReturnType<typeof setTimeout>[] = []

  /** Follows the engine until the returned function is called. */
  follow(): () => void {
    this.#silent()
    const stop = subscribe(
      (s) => (this.snapshot = s),
      (h) => this.#healthy(h),
    )
    const clock = setInterval(() => {
      this.now = Date.now()
      if (this.snapshot && this.health === 'live') this.speed.tick(this.snapshot)
      else if (this.silence !== '') this.speed.still()
    }, 1000)
    return () => {
      stop()
      clearInterval(clock)
      this.#timers.forEach(clearTimeout)
    }
  }

  #healthy(h: Health): void {
    if (h === 'lost' && this.health !== 'lost') this.#silent()
    if (h !== 'lost') {
      this.#timers.forEach(clearTimeout)
      this.silence = ''
    }
    this.health = h
  }

  #silent(): void {
    this.#timers = [
      setTimeout(() => (this.silence = 'starting'), patience),
      setTimeout(() => (this.silence = 'gone'), tooLong),
    ]
  }

  folder(id: string): Folder | undefined {
    return this.snapshot?.folders.find((f) => f.id === id)
  }

  device(id: string): Device | undefined {
    return this.snapshot?.devices.find((d) => d.id === id)
  }

  sharers(f: Folder): Device[] {
    return this.snapshot ? sharers(this.snapshot, f) : []
  }

  /** The name of a device; two of one name are told apart by the first group of their IDs. */
  nameOf(d: Device): string {
    const twins = this.snapshot?.devices.filter((o) => o.name === d.name).length ?? 0
    const name = d.name === '' ? d.id.slice(0, 7) : d.name
    return twins > 1 ? `${name} (${d.id.slice(0, 7)})` : name
  }

  /** The same for where nothing but plain text can stand, such as a list to choose from. */
  plainNameOf(d: Device): string {
    return cut(shown(this.nameOf(d)), plainLength)
  }

  plainLabelOf(f: Folder): string {
    return cut(shown(f.label), plainLength)
  }
}

export const store = new Store()
