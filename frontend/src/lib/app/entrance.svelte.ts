/** How a browser comes in: by the secret of a one-time address, or by a password. */
import { door, Refused } from '../backend/transport'

/**
 * Uses the secret of a one-time address, and takes it out of the address and
 * the history first.
 */
export async function enterByAddress(): Promise<void> {
  const token = /^#token=([A-Z2-7]+)$/.exec(location.hash)?.[1]
  if (token === undefined) return
  history.replaceState(null, '', '#/')
  try {
    await door.enter({ token })
  } catch (e) {
    // A secret that holds no more: the pages then ask for another.
    if (!(e instanceof Refused)) throw e
  }
}
