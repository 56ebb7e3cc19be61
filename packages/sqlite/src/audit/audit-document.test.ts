/** Pins docs/formats/audit.md to the code. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tableInfo } from '../table-shape.js'
import { answered, runSql } from '../testing/python-database.js'
import { installAudit, removeAudit } from './audit-script.js'
import { auditColumns } from './audit-table.js'
import { type AuditedTable, auditedTable, MAX_AUDITED_COLUMNS } from './audited-table.js'
import { uniqueKeys } from './unique-keys.js'

const text = readFileSync(new URL('../../../../docs/formats/audit.md', import.meta.url), 'utf8')
const [table, install, remove] = [...text.matchAll(/```sql\n(.*?)```/gs)].map(([, sql]) => sql!)

describe('docs/formats/audit.md', () => {
  it('gives the columns', () => {
    const names = [...text.split('## Columns')[1]!.matchAll(/^\| `(\w+)`(?:, `(\w+)`)? \|/gm)].flatMap(row =>
      row.slice(1),
    )
    expect(names.map(name => name?.replace('_n', '_1')).filter(name => name !== undefined)).toEqual(auditColumns(1))
    expect(text).toContain(`at most ${MAX_AUDITED_COLUMNS} columns`)
  })

  it('gives the SQL', () => {
    const directory = mkdtempSync(join(tmpdir(), 'hotpath-audit-'))
    try {
      const file = runSql(directory, table!)
      const described = answered(file, ask => {
        const info = tableInfo(ask, 'message', 2)
        const unique = uniqueKeys(ask, info)
        // Nothing is answered at first.
        return info.columns.length === 0 ? undefined : auditedTable(info, unique)
      }) as AuditedTable
      expect(`${installAudit({ tables: [described], width: undefined }).join('\n')}\n`).toBe(install)
      expect(`${removeAudit(['message'], true).join('\n')}\n`).toBe(remove)
      runSql(directory, ...install!.split(/;\n(?! {2}|END)/).filter(sql => sql.trim() !== ''))
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
