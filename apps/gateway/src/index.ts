export { type Gateway, type GatewayOptions, startGateway } from './compose.js'
