import { cleanup } from '@testing-library/svelte'
import { afterEach } from 'vitest'

/** No engine tells anything: tests give the state. */
class Silent {
  addEventListener(): void {}
  close(): void {}
}
globalThis.EventSource ??= Silent as never

afterEach(cleanup)
