import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright-core'

/** No sandbox: in a container it cannot be set up; the pages are ours. No service that would go beyond loopback. */
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
]

export interface TestBrowser {
  readonly context: BrowserContext
  /** Problems of all pages: errors of scripts, refusals by the content policy, failed loads. */
  readonly problems: string[]
  /** Every address that a page asked for. */
  readonly requested: string[]
  newPage(): Promise<Page>
  close(): Promise<void>
}

/** A browser with a profile of its own that is removed at the end. */
export async function startBrowser(executablePath: string): Promise<TestBrowser> {
  const profile = await mkdtemp(join(tmpdir(), 'hotpath-chromium-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: ARGUMENTS,
    headless: true,
    viewport: { width: 1180, height: 760 },
    permissions: ['clipboard-read', 'clipboard-write'],
    timezoneId: 'UTC',
    locale: 'en-GB',
  })
  const problems: string[] = []
  const requested: string[] = []
  return {
    context,
    problems,
    requested,
    async newPage() {
      const page = await context.newPage()
      page.on('pageerror', error => problems.push(error.message))
      page.on('console', message => {
        if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text())
      })
      page.on('request', request => requested.push(request.url()))
      return page
    },
    async close() {
      await context.close()
      await rm(profile, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}
