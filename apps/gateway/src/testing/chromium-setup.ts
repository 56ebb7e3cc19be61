import type { TestProject } from 'vitest/node'
import { provideChromium } from './chromium.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of Chromium; empty where it is not to be had, and the tests of the page in a browser are not run. */
    chromium: string
  }
}

/** Runs once before all tests of the package. */
export default async function setup(project: TestProject): Promise<void> {
  const chromium = await provideChromium()
  if ('missing' in chromium) {
    process.stderr.write(`NOT RUN: page.browser.test.ts (the web page in a real browser): ${chromium.missing}\n`)
    project.provide('chromium', '')
  } else project.provide('chromium', chromium.file)
}
