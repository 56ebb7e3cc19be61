import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { cookieName } from '../http/http-server.js'
import type { TestBrowser } from './browser.js'
import type { TestGateway } from './test-gateway.js'

/** The web page as a person sees it: waits for states, never for time. */
export class BrowserPage {
  constructor(
    readonly page: Page,
    private readonly browser: TestBrowser,
    private readonly gateway: TestGateway,
  ) {}

  /** @param query of the address; `` signs in with the token */
  async open(query = ''): Promise<void> {
    const { origin, port, token } = this.gateway
    const cookie = { name: cookieName(port), value: token, url: origin }
    if (query !== '') await this.browser.context.addCookies([cookie])
    await this.page.goto(query === '' ? `${origin}/?token=${token}` : `${origin}/${query}`)
    await this.text('#total', /results?$/)
  }

  /** Waits until an element has a text. */
  async text(selector: string, expected: RegExp): Promise<void> {
    await this.page.locator(selector).filter({ hasText: expected }).first().waitFor({ state: 'attached' })
  }

  names(): Promise<string[]> {
    return this.page.locator('.row:not(.loading) .name-text').allInnerTexts()
  }

  activeName(): Promise<string | null> {
    return this.page.locator('.row[aria-selected="true"] .name-text').textContent()
  }

  async url(search: string): Promise<void> {
    await expect.poll(() => new URL(this.page.url()).search).toBe(search)
  }
}
