/** While a page that connects devices is shown, devices nearby may see this one. */
import { api } from '../backend/api'

/** How often in milliseconds it is said again; the engine forgets after two minutes. */
const renew = 60_000

let holders = 0
let timer: ReturnType<typeof setInterval> | undefined

/** Keeps this device seen until the returned function is called. */
export function holdPane(): () => void {
  holders++
  if (timer === undefined) {
    open()
    timer = setInterval(open, renew)
  }
  return () => {
    holders--
    // The page that is shown next may hold it as well.
    setTimeout(close)
  }
}

function open(): void {
  api.openPane().catch(() => undefined) // nothing nearby is found then, which the page says
}

function close(): void {
  if (holders > 0 || timer === undefined) return
  clearInterval(timer)
  timer = undefined
  api.closePane().catch(() => undefined) // it closes by itself
}
