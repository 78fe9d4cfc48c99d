import { fireEvent, render, screen } from '@testing-library/svelte'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { api, type Run, type Snapshot } from '../lib/backend/api'
import { holdPane } from '../lib/app/pane.svelte'
import { askedOf, lastGroup } from '../lib/app/pairing.svelte'
import RunCard from './RunCard.svelte'

const run = (more: Partial<Run>): Run => ({
  id: 'r1', method: 'number', began: false, invitation: '', state: 'asking', device: 'ABCDEFG-HIJKLMN', name: '<b>Ben</b>', same_name: false,
  digits: '417 902', choices: [], problem: undefined as never, since: '', ...more,
})

beforeEach(() => vi.useFakeTimers())
afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

describe('six digits', () => {
  it('are read one by one, and are answered after they could be looked at', async () => {
    const answer = vi.spyOn(api, 'answer').mockResolvedValue(undefined)
    render(RunCard, { run: run({}), dismiss: () => undefined })
    expect(screen.getByRole('img', { name: '4 1 7, 9 0 2' }).textContent).toBe('417902')
    const yes = screen.getByRole('button', { name: 'Yes, the same' }) as HTMLButtonElement
    expect(yes.disabled).toBe(true)
    await vi.advanceTimersByTimeAsync(1000)
    await fireEvent.click(yes)
    expect(answer.mock.calls).toEqual([['r1', true]])
  })
  it('of which a wait begins anew with another question', async () => {
    const { rerender } = render(RunCard, { run: run({ state: 'waiting' }), dismiss: () => undefined })
    await vi.advanceTimersByTimeAsync(5000)
    await rerender({ run: run({}) })
    expect((screen.getByRole('button', { name: 'No, different' }) as HTMLButtonElement).disabled).toBe(true)
  })
  it('that differ are explained, with two ways on', () => {
    render(RunCard, { run: run({ state: 'failed', problem: { code: 'digits-differ', text: 'x' } }), dismiss: () => undefined })
    expect(screen.getByText('The numbers differ, so nothing was connected')).toBeTruthy()
    expect(screen.getByRole('button', { name: 'Use a code instead' })).toBeTruthy()
  })
})

describe('a run that failed without a known cause', () => {
  it('is told in the language of the pages, not in that of a log', () => {
    const { container } = render(RunCard, { run: run({ state: 'failed', problem: { code: '', text: 'dial udp: refused' } }), dismiss: () => undefined })
    expect(container.textContent).toContain('It did not come about')
    expect(container.textContent).not.toContain('dial udp')
  })
})

describe('being seen nearby', () => {
  it('lasts as long as a page holds it, from one page to the next', async () => {
    const open = vi.spyOn(api, 'openPane').mockResolvedValue(undefined)
    const close = vi.spyOn(api, 'closePane').mockResolvedValue(undefined)
    const first = holdPane()
    await vi.advanceTimersByTimeAsync(130_000)
    expect(open).toHaveBeenCalledTimes(3)
    const second = holdPane()
    first()
    await vi.advanceTimersByTimeAsync(10)
    expect(close).not.toHaveBeenCalled()
    second()
    await vi.advanceTimersByTimeAsync(200_000)
    expect([open.mock.calls.length, close.mock.calls.length]).toEqual([3, 1])
  })
})

describe('what a person owes an answer', () => {
  it('is a number to compare and a device that asks', () => {
    const s = { pairing: { runs: [run({}), run({ id: 'r2', state: 'waiting' })], requests: [{ id: 'q', device: 'A', name: '', address: '', time: '' }] } } as unknown as Snapshot
    expect(askedOf(s)).toBe(2)
  })
  it('names the last group of an ID', () => expect(lastGroup('AAAAAAA-BBBBBBB')).toBe('BBBBBBB'))
})
