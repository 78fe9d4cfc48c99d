import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const css = readFileSync('src/styles/tokens.css', 'utf8')
const themes = { light: css.slice(css.indexOf(':root'), css.indexOf('[data-theme="dark"]')), dark: css.slice(css.indexOf('[data-theme="dark"]')) }

/** The relative luminance of a token, from OKLCH through linear sRGB. */
function luminance(theme: string, name: string): number {
  const found = new RegExp(`--${name}: oklch\\(([\\d.]+)% ([\\d.]+) ([\\d.]+)\\)`).exec(theme)
  if (!found) throw new Error(`there is no colour ${name}`)
  const [L, c, h] = [Number(found[1]) / 100, Number(found[2]), (Number(found[3]) * Math.PI) / 180]
  const [a, b] = [c * Math.cos(h), c * Math.sin(h)]
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3
  const rgb = [4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s, -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s, -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s]
  const [r = 0, g = 0, blue = 0] = rgb.map((v) => Math.min(1, Math.max(0, v)))
  return 0.2126 * r + 0.7152 * g + 0.0722 * blue
}

function contrast(theme: string, a: string, b: string): number {
  const [x, y] = [luminance(theme, a), luminance(theme, b)]
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05)
}

const grounds = ['canvas', 'surface', 'sunken', 'hover']

describe.each(Object.entries(themes))('in the %s theme', (_, theme) => {
  it.each(['text', 'text-2', 'text-3', 'accent', 'ok', 'warn', 'bad', 'up'])('%s can be read on every ground', (token) => {
    for (const ground of grounds) expect(contrast(theme, token, ground)).toBeGreaterThanOrEqual(4.5)
  })
  it.each(['accent', 'ok', 'warn', 'bad', 'up'])('%s can be read on its own soft ground', (token) => {
    expect(contrast(theme, token, `${token}-soft`)).toBeGreaterThanOrEqual(4.5)
  })
  it('a solid button, borders, rings and bars stand out', () => {
    expect(contrast(theme, 'on-fill', 'fill')).toBeGreaterThanOrEqual(4.5)
    expect(contrast(theme, 'edge', 'surface')).toBeGreaterThanOrEqual(3)
    expect(contrast(theme, 'accent-line', 'surface')).toBeGreaterThanOrEqual(3)
    expect(contrast(theme, 'warn-line', 'warn-soft')).toBeGreaterThanOrEqual(3)
    expect(contrast(theme, 'bad-line', 'bad-soft')).toBeGreaterThanOrEqual(3)
  })
})
