import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { startBrowser, type TestBrowser } from './testing/browser.js'
import { BrowserPage } from './testing/browser-page.js'
import { FakeBackend, fakeDatabaseRow, fakeRows, HOSTILE_NAMES } from './testing/fake-backend.js'
import { startTestGateway, type TestGateway } from './testing/test-gateway.js'

const ENTRIES = 2_000
const executable = inject('chromium')
const rows = executable === '' ? [] : fakeRows(ENTRIES)

/** Rows of followed databases in the web page, in a real browser. */
describe.runIf(executable !== '')('rows of databases in the web page', () => {
  let backend: FakeBackend
  let gateway: TestGateway
  let browser: TestBrowser
  let page: Page
  let seen: BrowserPage

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
    seen = new BrowserPage(page, browser, gateway)
  })
  afterEach(async () => {
    await page.evaluate('localStorage.clear()')
    await page.close()
    await gateway.stop()
    browser.problems.length = 0
  })

  const options = () => page.locator('#found-rows [role=option]')
  const active = () => page.locator('#found-rows [role=option][aria-selected=true]')

  it('shows the first above the files that the same words find, and nothing where there is none', async () => {
    backend.databaseRows = messages(5)
    await seen.open()
    expect(backend.rowSearches).toEqual([])
    await page.keyboard.type('invoice')
    await seen.text('#rows-title', /^Rows of databases: 5$/)
    await seen.text('#total', /^198 results$/)
    await seen.text('#row-total', /^5 rows$/)
    await seen.text('#announcer', /^198 results, 5 rows of databases$/)
    expect(await options().count()).toBe(3)
    expect(await options().first().innerText()).toMatch(/^chat \/ message\s+5\s+message 5 ↵ the Invoice of 2024…$/)
    expect(await page.locator('#found-rows mark').allInnerTexts()).toEqual(['Invoice', 'Invoice', 'Invoice'])
    expect((await seen.names()).length).toBeGreaterThan(10)
    expect(backend.rowSearches.at(-1)).toEqual({ query: 'invoice', limit: 100, offset: 0 })
    // Only files have a type.
    await page.getByRole('button', { name: 'Pictures' }).click()
    await page.locator('#rows').waitFor({ state: 'detached' })
    await page.goBack()
    await page.locator('#rows').waitFor()
    // A narrow window has room for the text, and for files.
    await page.setViewportSize({ width: 420, height: 700 })
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0)
    expect((await page.locator('.row-snippet').first().boundingBox())!.width).toBeGreaterThan(200)
    expect((await page.locator('#results').boundingBox())!.height).toBeGreaterThan(150)
    await page.fill('#query', 'budget')
    await page.locator('#rows').waitFor({ state: 'detached' })
    expect(browser.problems).toEqual([])
  })

  it('holds up no files, and is not held up by them', async () => {
    await seen.open()
    let release = () => {}
    const gate = new Promise<void>(resolve => {
      release = resolve
    })
    backend.rowGate = gate
    await page.keyboard.type('invoice')
    await seen.text('#total', /^198 results$/)
    expect(await page.locator('#rows').count()).toBe(0)
    backend.rowGate = undefined
    release()
    await page.locator('#rows').waitFor()
    // A search for rows of which nothing comes is cancelled by the next.
    backend.gate = new Promise(() => {})
    await page.keyboard.type(' of')
    await expect.poll(() => backend.rowSearches.at(-1)?.query).toBe('invoice of')
    await seen.text('#found-rows mark', /^Invoice of$/)
  })

  it('asks for rows again when it is told that they changed, and not else', async () => {
    backend.databaseRows = messages(5)
    await page.clock.install()
    await seen.open('?q=invoice')
    await seen.text('#rows-title', /^Rows of databases: 5$/)
    // Again, because the stream of events was opened after the rows were asked for.
    await expect.poll(() => backend.rowSearches.length).toBe(2)
    const before = backend.rowSearches.length
    await page.clock.runFor(60_000)
    backend.emit({ type: 'changed', root: 'tree-1', clock: '2' })
    await page.clock.runFor(60_000)
    expect(backend.rowSearches.length).toBe(before)
    backend.databaseRows = messages(6)
    backend.emit({ type: 'rows' })
    await seen.text('#rows-title', /^Rows of databases: 6$/)
    expect(await options().first().innerText()).toContain('message 6')
    expect(backend.rowSearches.length).toBe(before + 1)
    // A gateway that was away may have missed some.
    backend.databaseRows = messages(7)
    backend.emit({ type: 'resync', reason: 'test' })
    await seen.text('#rows-title', /^Rows of databases: 7$/)
    await page.click('#all-rows')
    await seen.text('#rows-total', /^7$/)
    const inView = backend.rowSearches.length
    backend.databaseRows = messages(8)
    for (let i = 0; i < 50; i++) backend.emit({ type: 'rows' })
    await seen.text('#rows-total', /^8$/)
    await page.clock.runFor(60_000)
    expect(backend.rowSearches.length - inView).toBeLessThanOrEqual(2)
    expect(browser.problems).toEqual([])
  })

  it('walks through rows by keyboard, and tells all of one', async () => {
    backend.databaseRows = messages(5)
    await seen.open('?q=invoice')
    await page.locator('#rows').waitFor()
    await page.keyboard.press('Alt+r')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('End')
    expect(await active().getAttribute('id')).toBe('found-row-2')
    expect(await page.getAttribute('#found-rows', 'aria-activedescendant')).toBe('found-row-2')
    await page.keyboard.press('ArrowUp')
    await seen.text('#details .facts', /Database.*chat.*Table.*message.*Key.*4.*Text.*message 4.*the Invoice of 2024…/s)
    await page.keyboard.press('Control+c')
    await seen.text('#toast', /^Text copied$/)
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe('message 4\nthe Invoice of 2024')
    // Whoever goes to a file has the details of that.
    await page.click('#row-1')
    await seen.text('#details .facts', /Heat/)
    expect(await active().count()).toBe(0)
    await page.locator('#found-rows').focus()
    await page.keyboard.press('Home')
    await page.keyboard.press('ArrowUp')
    expect(await page.locator('#query:focus').count()).toBe(1)
  })

  it('has a view of all, a thousand at a time', async () => {
    backend.databaseRows = messages(1_345)
    await seen.open('?q=invoice')
    await page.click('#all-rows')
    await seen.url('?view=rows&q=invoice')
    await seen.text('#rows-range', /^1–1,000$/)
    expect(await options().count()).toBe(1_000)
    expect(await page.locator('#results').isVisible()).toBe(false)
    await page.getByRole('button', { name: 'Next rows' }).click()
    await seen.text('#rows-range', /^1,001–1,345$/)
    await seen.url('?view=rows&from=1000&q=invoice')
    expect(await page.getByRole('button', { name: 'Next rows' }).isDisabled()).toBe(true)
    await page.locator('#found-rows').focus()
    await page.keyboard.press('End')
    await seen.text('#details .facts', /Key1Text/)
    // Typing begins at the first row again.
    await page.fill('#query', 'message 77')
    await seen.url('?view=rows&q=message+77')
    await seen.text('#rows-total', /^11$/)
    await page.fill('#query', 'no such thing')
    await seen.text('.no-rows', /No row matches/)
    await page.keyboard.press('Alt+1')
    await seen.url('?q=no+such+thing')
    await page.keyboard.press('Alt+3')
    await seen.url('?view=rows&q=no+such+thing')
  })

  it('has rows in the place of files where no file is found', async () => {
    backend.databaseRows = messages(150)
    await seen.open()
    await page.keyboard.type('in:chat ')
    await seen.text('#rows-total', /^150$/)
    await page.locator('#results').waitFor({ state: 'hidden' })
    await seen.text('#total', /^0 results$/)
    expect(await page.locator('#empty').isVisible()).toBe(false)
    expect(await options().count()).toBe(100)
    await seen.text('#details .facts', /Key150/)
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    await seen.text('#details .facts', /Key149/)
    await page.locator('#all-rows').click()
    await expect.poll(() => options().count()).toBe(150)
    await page.click('#to-files')
    await page.fill('#query', 'budget')
    await page.locator('#results').waitFor({ state: 'visible' })
    await page.locator('.row:not(.loading)').first().waitFor()
  })

  it('shows hostile rows as text', async () => {
    backend.databaseRows = HOSTILE_NAMES.map((name, at) => {
      const text = Buffer.from(name).toString()
      return fakeDatabaseRow([BigInt(at), text], `hostile ${text}`, at === 0 ? text : 'chat', text)
    })
    await seen.open('?view=rows&q=hostile')
    await expect.poll(() => options().count()).toBe(HOSTILE_NAMES.length)
    const shown: string[] = []
    await page.locator('#found-rows').focus()
    for (let at = 0; at < HOSTILE_NAMES.length; at++) {
      await page.locator(`#found-row-${at}[aria-selected=true]`).waitFor()
      shown.push((await page.locator('#details').textContent())!)
      await page.keyboard.press('ArrowDown')
    }
    expect(shown.join()).toContain('<img src=x onerror="window.pwned=1">')
    const tags = await page
      .locator('#rows *, #details *')
      .evaluateAll(nodes => [...new Set(nodes.map(node => node.tagName.toUpperCase()))].sort())
    const own = 'BDI BR BUTTON DD DIV DL DT H2 H3 HEADER MARK SPAN SVG USE'.split(' ')
    expect(tags.filter(tag => !own.includes(tag))).toEqual([])
    expect(await page.evaluate('"pwned" in window')).toBe(false)
    const everything = (await page.locator('body').textContent()) + shown.join('')
    expect(everything).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u200e\u200f]/)
    expect(everything).toMatch(/RLO/)
    expect(browser.problems).toEqual([])
  })

  it('tells how followed databases are, where there are any', async () => {
    const database = {
      name: 'chat',
      path: '/home/ann/chat.db',
      state: 'live',
      reason: '',
      method: 'log',
      cursor: 'c',
      sequence: 3,
      lagMs: 12.4,
      subscribers: 2,
      adHoc: false,
      logBytes: 2_048,
    }
    const mail = { ...database, name: 'mail', state: 'locked', reason: '<b>busy</b>', lagMs: 12_340 }
    let databases: unknown[] = [database, mail]
    await page.route('**/api/databases', route => route.fulfill({ json: { databases } }))
    await seen.open('?view=statistics')
    await seen.text('#databases', /Followed databases/)
    const lines = page.locator('#databases tbody tr')
    expect((await lines.first().innerText()).split(/\s*\t\s*/)).toEqual([
      'chat',
      'live',
      'log',
      '12 ms',
      '2',
      '2.00 KB',
    ])
    expect(await lines.last().innerText()).toMatch(/^mail\s+<b>busy<\/b>\s+locked\s+log\s+12.3 s/)
    databases = []
    const asked = page.waitForResponse('**/api/databases')
    await page.keyboard.press('Alt+1')
    await page.keyboard.press('Alt+2')
    await asked
    await seen.text('#roots', /fanotify/)
    expect(await page.locator('#databases').count()).toBe(0)
  })
})

/** The newest first. */
function messages(count: number) {
  return Array.from({ length: count }, (_, at) =>
    fakeDatabaseRow(BigInt(count - at), `message ${count - at}\nthe Invoice of 2024`),
  )
}
