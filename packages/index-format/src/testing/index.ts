export { ALL_COLUMNS, columnsOf, directoryRow, fileRow, type ModelColumns, type ModelRow } from './model-rows.js'
export { NASTY_NAMES, Random, randomName, randomTree, type TreeShape } from './random-rows.js'
