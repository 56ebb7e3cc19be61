import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { cookieName } from './http/http-server.js'
import { startBrowser, type TestBrowser } from './testing/browser.js'
import { FakeBackend, fakeRow, fakeRows, HOSTILE_NAMES, unavailable } from './testing/fake-backend.js'
import { startTestGateway, type TestGateway } from './testing/test-gateway.js'

const ENTRIES = 100_000
const executable = inject('chromium')
const rows = executable === '' ? [] : fakeRows(ENTRIES)

/** The page in a real browser, through the real HTTP server with its content policy. Waits for states, never for time. */
describe.runIf(executable !== '')('the web page', () => {
  let backend: FakeBackend
  let gateway: TestGateway
  let browser: TestBrowser
  let page: Page

  beforeAll(async () => {
    browser = await startBrowser(executable)
  })
  afterAll(async () => {
    await browser.close()
  })
  beforeEach(async () => {
    backend = new FakeBackend(ENTRIES, rows)
    gateway = await startTestGateway(backend)
    page = await browser.newPage()
  })
  afterEach(async () => {
    await page.close()
    await gateway.stop()
    browser.problems.length = 0
    browser.requested.length = 0
  })

  async function open(query = ''): Promise<void> {
    const cookie = { name: cookieName(gateway.port), value: gateway.token, url: gateway.origin }
    if (query !== '') await browser.context.addCookies([cookie])
    await page.goto(query === '' ? `${gateway.origin}/?token=${gateway.token}` : `${gateway.origin}/${query}`)
    await text('#total', /results?$/)
  }

  /** Waits until an element has a text. */
  async function text(selector: string, expected: RegExp): Promise<void> {
    await page.locator(selector).filter({ hasText: expected }).waitFor({ state: 'attached' })
  }

  const names = () => page.locator('.row:not(.loading) .name-text').allInnerTexts()
  const activeName = () => page.locator('.row[aria-selected="true"] .name-text').textContent()

  it('signs in, hides the token, shows the list and asks nobody else', async () => {
    await open()
    expect(page.url()).toBe(`${gateway.origin}/`)
    await text('#total', /^100,000 results$/)
    await text('#took', /^0\.12 ms$/)
    await text('#fresh', /^live$/)
    await text('#indexed', /^100,000 indexed$/)
    expect(browser.problems).toEqual([])
    expect(browser.requested.filter(url => !url.startsWith(`${gateway.origin}/`))).toEqual([])
    expect(await page.evaluate('document.cookie')).toBe('')
  })

  it('searches as one types and cancels what is out of date', async () => {
    await open()
    const first = backend.searches.length
    let release = () => {}
    backend.gate = new Promise(resolve => {
      release = resolve
    })
    await page.keyboard.type('budget')
    // On a busy machine the page may also ask again for what it shows, when it hears of the first events.
    const searches = () => backend.searches.slice(first)
    const isTyped = (query: string) => searches().some(({ request }) => request.query === query)
    await expect.poll(() => ['b', 'bu', 'bud', 'budg', 'budge', 'budget'].filter(isTyped)).toHaveLength(6)
    await expect
      .poll(() =>
        searches()
          .slice(0, -1)
          .every(({ signal }) => signal.aborted),
      )
      .toBe(true)
    expect(searches().at(-1)?.signal.aborted).toBe(false)
    expect(searches().at(-1)?.request.query).toBe('budget')
    backend.gate = undefined
    release()
    await text('#total', /^9,99\d results$/)
    expect((await names()).every(name => name.includes('budget'))).toBe(true)
    expect(await page.locator('.row mark').first().textContent()).toBe('budget')
    await page.waitForURL(url => url.search === '?q=budget')
  })

  it('keeps few rows in the document and loads more while scrolling', async () => {
    await open()
    expect(await page.locator('.row').count()).toBeLessThan(60)
    await page.locator('#viewport').evaluate(element => {
      element.scrollTop = 50_000 * 34
    })
    await page.waitForSelector('#row-50000:not(.loading)')
    expect(await page.locator('.row').count()).toBeLessThan(60)
    await page.keyboard.press('Control+End')
    await page.waitForSelector('#row-99999[aria-selected="true"]:not(.loading)')
    await page.keyboard.press('Control+Home')
    await page.waitForSelector('#row-0[aria-selected="true"]:not(.loading)')
    const widest = Math.max(...backend.searches.map(search => search.request.limit))
    expect(widest).toBe(100)
  })

  it('reaches every row of a list that is taller than a browser can lay out', async () => {
    const total = 10_000_000
    backend.search = async ({ offset, limit }) => ({
      total,
      fuzzyTotal: undefined,
      exactRows: limit,
      clock: '1',
      fresh: { state: 'live', lagMs: 0, dirty: 0, dirtySubtrees: [] },
      partial: false,
      engineMs: 0.5,
      rows: Array.from({ length: Math.max(0, Math.min(limit, total - offset)) }, (_, at) => ({
        ...fakeRow('/big', new TextEncoder().encode(`entry-${offset + at}`), offset + at),
      })),
      explanation: undefined,
    })
    await open()
    await text('#total', /^10,000,000 results$/)
    await page.keyboard.press('Control+End')
    await page.waitForSelector('#row-9999999:not(.loading)')
    expect(await activeName()).toBe('entry-9999999')
    await page.keyboard.press('ArrowUp')
    expect(await activeName()).toBe('entry-9999998')
    await page.locator('#viewport').hover()
    await page.mouse.wheel(0, -340)
    // Ten rows of 34 pixels, not ten rows times what the scroll bar stands for.
    await page.locator('#row-9999968').waitFor({ state: 'attached' })
    expect(await page.locator('#row-9999985').count()).toBe(1)
    await page.locator('#viewport').evaluate(element => {
      element.scrollTop = 0
    })
    await page.waitForSelector('#row-0:not(.loading)')
  })

  it('sorts by a click on a head, again to turn round, and keeps that in the address', async () => {
    await open('?q=report')
    const head = (name: string) => page.getByRole('columnheader', { name })
    expect(await head('Name').getAttribute('aria-sort')).toBe('none')
    await page.click('#sort-size')
    await page.waitForURL(url => url.search === '?q=report&sort=size-desc')
    expect(await head('Size').getAttribute('aria-sort')).toBe('descending')
    await page.click('#sort-size')
    await page.waitForURL(url => url.search === '?q=report&sort=size')
    expect(backend.searches.at(-1)?.request).toMatchObject({ query: 'report', sort: 'size', descending: false })
    await page.reload()
    await text('#total', /results$/)
    expect(await page.inputValue('#query')).toBe('report')
    expect(await head('Size').getAttribute('aria-sort')).toBe('ascending')
    await page.click('#sort-size')
    await page.waitForURL(url => url.search === '?q=report')
    expect(backend.searches.at(-1)?.request).toMatchObject({ sort: 'hot', descending: false })
  })

  it('is used with the keyboard alone', async () => {
    await open('?q=invoice')
    const first = await activeName()
    await page.keyboard.press('ArrowDown')
    const second = await activeName()
    expect(second).not.toBe(first)
    expect(await page.getAttribute('#query', 'aria-activedescendant')).toBe('row-1')
    await page.keyboard.press('Enter')
    await text('#toast', /^Path copied$/)
    expect(await page.evaluate('navigator.clipboard.readText()')).toMatch(new RegExp(`/${second}$`))
    await page.keyboard.press('Escape')
    await text('#total', /^100,000 results$/)
    expect(await page.inputValue('#query')).toBe('')
    await page.keyboard.press('Escape')
    await page.keyboard.press('/')
    await page.keyboard.type('photo')
    expect(await page.inputValue('#query')).toBe('photo')
  })

  it('shows hostile names as text and nothing else', async () => {
    await open('?q=hostile')
    await text('#total', /^\d+ results$/)
    const shown = await names()
    expect(shown.length).toBeGreaterThan(5)
    for (const query of ['pwned', '<', 'hostile', '&', '%3C']) {
      await page.fill('#query', query)
      await text('#total', /results?$/)
    }
    await page.fill('#query', '<img src=x onerror="window.pwned=1">')
    await expect.poll(names).toEqual(['<img src=x onerror="window.pwned=1">.txt'])
    // Only elements that the page itself makes are in the list, and nothing that a name said was run.
    const tags = await page
      .locator('#viewport *')
      .evaluateAll(nodes => [...new Set(nodes.map(node => node.tagName))].sort())
    expect(tags).toEqual(['BDI', 'DIV', 'MARK', 'SPAN'])
    expect(await page.evaluate('"pwned" in window')).toBe(false)
    const everything = (await page.locator('body').textContent()) + shown.join('')
    expect(everything).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u200e\u200f]/)
    expect(browser.problems).toEqual([])
    expect(HOSTILE_NAMES.length).toBeGreaterThan(10)
  })

  it('marks the place of an error in the query and recovers', async () => {
    await open()
    await page.keyboard.type('foo (bar')
    await text('#error', /not closed; expected \)/)
    expect(await page.locator('#error mark').textContent()).toBe('(')
    expect(await page.getAttribute('#query', 'aria-invalid')).toBe('true')
    await page.fill('#query', 'readme')
    await page.locator('#error').waitFor({ state: 'hidden' })
    expect(await page.getAttribute('#query', 'aria-invalid')).toBeNull()
  })

  it('follows changes of the index and keeps its place', async () => {
    await open('?q=zzz-new')
    await page.waitForSelector('#empty:not([hidden])')
    backend.rows = [...backend.rows, fakeRow('/home/ann', new TextEncoder().encode('zzz-new.txt'), ENTRIES)]
    backend.emit({ type: 'changed', root: 'tree-1', clock: '2' })
    await text('#total', /^1 result$/)
    expect(await names()).toEqual(['zzz-new.txt'])
    backend.rows = backend.rows.slice(0, -1)
    backend.emit({ type: 'resync', reason: 'test' })
    await text('#total', /^0 results$/)
  })

  it('shows the progress of a scan', async () => {
    await open()
    backend.scan = { entries: 25_000, entriesPerSecond: 5_000, current: '/home/ann/src', expectedEntries: 100_000 }
    backend.emit({ type: 'status' })
    await text('#scan-text', /^Indexing: 25,000 of 100,000 entries · 5,000\/s · 15 s left$/)
    await text('#fresh', /^catching up$/)
    expect(await page.locator('#partial').isVisible()).toBe(true)
    backend.scan = undefined
    backend.emit({ type: 'status' })
    await page.locator('#scan').waitFor({ state: 'hidden' })
    await text('#fresh', /^live$/)
  })

  it('says when the store is away and comes back by itself', async () => {
    await open('?q=main')
    backend.failure = unavailable
    await page.keyboard.type('-')
    await text('#error', /the store is not there/)
    backend.failure = undefined
    await page.locator('#error').waitFor({ state: 'hidden' })
    await text('#total', /results$/)
  })

  it('fits a small window and the dark', async () => {
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.setViewportSize({ width: 420, height: 700 })
    await open('?q=photo')
    const background = await page.evaluate('getComputedStyle(document.body).backgroundColor')
    expect(background).toBe('rgb(20, 20, 24)')
    const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
    expect(overflow).toBeLessThanOrEqual(0)
  })
})
