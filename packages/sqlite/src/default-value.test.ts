import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { affinityOf } from './affinity.js'
import { defaultValue } from './default-value.js'
import { valueText } from './testing/random-writer.js'

const TYPES = [
  '',
  'TEXT',
  'VARCHAR(9)',
  'INTEGER',
  'BIGINT',
  'REAL',
  'DOUBLE',
  'NUMERIC',
  'DECIMAL(9,2)',
  'BLOB',
  'CHARINT',
  'FLOATING POINT',
]
const DEFAULTS = [
  ...[
    '5',
    '-5',
    '+4',
    '007',
    '( -7 )',
    '(5)',
    '0x10',
    '-0x10',
    '9223372036854775807',
    '9223372036854775808',
    '-9223372036854775808',
  ],
  ...['-2.5', '3.0', '-3.0', '.5', '1e3', '1e15', '1e19', '-0.0', '0.1'],
  ...[`'it''s'`, `'7'`, `'1e3'`, `' 12 '`, `'abc'`, `''`, `'0x10'`, `"dq ""x"""`, `'5 apples'`],
  ...[`x'0102'`, `X'ff'`, `x''`, 'NULL', 'TRUE', 'false'],
]

/** Adds a column with each default and type to a row that is there already, and says what the row has then. */
const SCRIPT = `
import json, sqlite3, sys
types, defaults = json.loads(sys.argv[1]), json.loads(sys.argv[2])
found = []
for default in defaults:
    for type in types:
        db = sqlite3.connect(":memory:")
        db.execute("CREATE TABLE t(a)")
        db.execute("INSERT INTO t VALUES (1)")
        db.execute(f"ALTER TABLE t ADD COLUMN b {type} DEFAULT {default}")
        expression = db.execute("SELECT dflt_value FROM pragma_table_xinfo('t') WHERE name = 'b'").fetchone()[0]
        value = db.execute("SELECT b FROM t").fetchone()[0]
        text = {type(None): lambda v: "null", int: lambda v: f"i{v}", float: lambda v: f"r{v.hex()}", str: lambda v: "t" + v.encode().hex(), bytes: lambda v: "b" + v.hex()}
        found.append([type, expression, text[value.__class__](value)])
print(json.dumps(found))
`.replaceAll('type(None)', 'None.__class__')

/** A real as Python shows its bits. */
function realOf(hex: string): number {
  const [, sign, whole, fraction, exponent] = /^(-?)0x([01])\.([0-9a-f]*)p([+-]\d+)$/.exec(hex)!
  return (
    (sign === '' ? 1 : -1) * (Number.parseInt(whole + fraction!, 16) / 16 ** fraction!.length) * 2 ** Number(exponent)
  )
}

describe('defaultValue', () => {
  it('is what SQLite has in rows that are older than the column', () => {
    const args = ['-c', SCRIPT, JSON.stringify(TYPES), JSON.stringify(DEFAULTS)]
    const { stdout, stderr } = spawnSync('python3', args, { encoding: 'utf8' })
    expect(stderr).toBe('')
    const found: [type: string, expression: string, text: string][] = JSON.parse(stdout)
    expect(found).toHaveLength(TYPES.length * DEFAULTS.length)
    for (const [type, expression, text] of found) {
      const expected = text.startsWith('r') ? valueText(realOf(text.slice(1))) : text
      expect(valueText(defaultValue(expression, affinityOf(type))), `${expression} in ${type}`).toBe(expected)
    }
  })

  it('is NULL for what no row can be without', () => {
    for (const expression of [null, 'CURRENT_TIMESTAMP', "(datetime('now'))", 'random()', '(1 + 2)'])
      expect(defaultValue(expression, 'text')).toBe(null)
  })
})
