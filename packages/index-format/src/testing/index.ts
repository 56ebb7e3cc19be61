export { ALL_COLUMNS, columnsOf, directoryRow, fileRow, type ModelColumns, type ModelRow } from './model-rows.js'
export { type GoodFile, type MutatedFile, mutatedFile } from './mutated-file.js'
export { MUTATED_INPUTS, MUTATION_TIMEOUT_MS, tryMutations, unlessRefused } from './mutation-trials.js'
export { NASTY_NAMES, Random, randomName, randomTree, type TreeShape } from './random-rows.js'
