import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

/** `--name: light-dark(#light, #dark)` */
const tokens = new Map(
  [
    ...readFileSync(new URL('./tokens.css', import.meta.url), 'utf8').matchAll(
      /--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g,
    ),
  ].map(([, name, light, dark]) => [name!, { light: light!, dark: dark! }]),
)

/** Relative luminance (WCAG 2). */
function luminance(color: string): number {
  const [red, green, blue] = [1, 3, 5].map(at => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!
}

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((left, right) => left - right)
  return (high! + 0.05) / (low! + 0.05)
}

const GROUNDS = ['ground', 'raised', 'hover', 'active']
const PAIRS = [
  ...['text', 'muted'].flatMap(text => [...GROUNDS, 'sunken'].map(ground => [text, ground])),
  ...['accent', 'good', 'busy', 'bad'].flatMap(text => ['ground', 'raised'].map(ground => [text, ground])),
  ['accent', 'accent-soft'],
  ['on-mark', 'mark'],
  ['busy', 'busy-soft'],
  ['bad', 'bad-soft'],
] as [string, string][]
/** Signs and outlines. */
const SHAPES = [...tokens.keys()].filter(name => name.startsWith('type-') || name === 'focus')

describe('colours', () => {
  it.each(['light', 'dark'] as const)('can be read in the %s scheme', scheme => {
    for (const [text, ground] of PAIRS) {
      const found = contrast(tokens.get(text)![scheme], tokens.get(ground)![scheme])
      expect(found, `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5)
    }
    expect(SHAPES.length).toBeGreaterThan(8)
    for (const shape of SHAPES) {
      const found = contrast(tokens.get(shape)![scheme], tokens.get('ground')![scheme])
      expect(found, shape).toBeGreaterThanOrEqual(3)
    }
  })
})
