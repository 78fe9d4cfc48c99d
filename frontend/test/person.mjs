// People at a page. A story is told once, with what one does, and lived by each
// of them: one has a mouse, the other has the keyboard alone. Both find things
// by role and name, as a screen reader tells them.
import assert from 'node:assert/strict'
import { until } from './house.mjs'

/** How often Tab is pressed before something counts as out of reach. */
const most = 150

class Person {
  constructor(page) {
    this.page = page
  }

  /** What has a role and a name, in the whole page or in a part of it. */
  find(role, name, within = this.page) {
    return within.getByRole(role, typeof name === 'string' ? { name, exact: true } : { name })
  }

  /** Waits until a text stands in the page. */
  reads(text) {
    return this.page.getByText(text).first().waitFor()
  }

  /** Types into a field in place of what stands there. */
  async write(name, text) {
    await this.into(this.find('textbox', name))
    await this.page.keyboard.press('Control+A')
    await this.page.keyboard.type(text)
  }
}

class WithMouse extends Person {
  async press(role, name, within) {
    await this.find(role, name, within).first().click()
  }

  async tick(name) {
    await this.find('checkbox', name).first().click()
  }

  /** Chooses one of a group of which one always is chosen. */
  async choose(name) {
    await this.find('radio', name).click()
  }

  async into(field) {
    await field.first().click()
  }

  /** Leaves the field that is written in. */
  async leave() {
    await this.page.locator('main h1').first().click()
  }

  /** Opens a row of a list. */
  async open(list, row) {
    await this.find('listbox', list).getByRole('option', { name: row }).first().click()
  }
}

class WithKeys extends Person {
  async press(role, name, within) {
    await this.#reach(this.find(role, name, within))
    await this.page.keyboard.press('Enter')
  }

  async tick(name) {
    await this.#reach(this.find('checkbox', name))
    await this.page.keyboard.press('Space')
  }

  /** Tab leads to the one of a group that is chosen, and the arrows to the others. */
  async choose(name) {
    const wanted = this.find('radio', name)
    const group = await wanted.getAttribute('name')
    await this.#reach(this.page.locator(`input[type=radio][name="${group}"]`))
    for (let i = 0; i < most; i++) {
      if (await wanted.isChecked()) return this.#sees(wanted)
      await this.page.keyboard.press('ArrowDown')
    }
    assert.fail(`the arrows do not lead to ${name}`)
  }

  async into(field) {
    await this.#reach(field)
  }

  async leave() {
    await this.page.keyboard.press('Tab')
  }

  async open(list, row) {
    const box = this.find('listbox', list)
    await box.getByRole('option', { name: row }).first().waitFor()
    await this.#reach(box)
    await this.page.keyboard.press('Home')
    for (let i = 0; i < most; i++) {
      const at = await box.evaluate((e) => document.getElementById(e.getAttribute('aria-activedescendant'))?.textContent ?? '')
      if (row.test(at)) return this.page.keyboard.press('Enter')
      await this.page.keyboard.press('ArrowDown')
    }
    assert.fail(`the arrows do not lead to ${row} in ${list}`)
  }

  /** Presses Tab until what is looked for has the focus, and sees that it has. */
  async #reach(target) {
    await target.first().waitFor()
    // What cannot be pressed yet is left out by Tab.
    await until(`${target} may be pressed`, () => target.first().isEnabled())
    for (let i = 0; i < most; i++) {
      if (await target.evaluateAll((all) => all.includes(document.activeElement))) return this.#sees(target)
      await this.page.keyboard.press('Tab')
    }
    assert.fail(`Tab does not lead to ${target}`)
  }

  /** The focus is where one looks, and has a ring; a field may have it around its frame. */
  async #sees(target) {
    const seen = await this.page.evaluate(() => {
      const e = document.activeElement
      const ring = (of) => {
        const s = getComputedStyle(of)
        return s.outlineStyle !== 'none' && Number.parseFloat(s.outlineWidth) >= 2 && !/, 0\)|\/ 0\)|transparent/.test(s.outlineColor)
      }
      const box = e.getBoundingClientRect()
      return { ring: ring(e) || ring(e.parentElement), inSight: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth }
    })
    assert.deepEqual(seen, { ring: true, inSight: true }, `the focus on ${target}`)
  }
}

export const people = { mouse: WithMouse, keys: WithKeys }
