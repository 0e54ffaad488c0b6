/**
 * The TypeScript form of an OpenAPI document's schemas: only what the recorder's document uses.
 * Anything else is an error, so that a new shape cannot become a wrong type in silence.
 */

/**
 * @typedef {{
 *   $ref?: string, type?: string | string[], enum?: string[], description?: string,
 *   properties?: Record<string, Schema>, required?: string[], items?: Schema,
 *   oneOf?: Schema[], allOf?: Schema[], additionalProperties?: Schema | boolean,
 * }} Schema
 */

const HEAD = `// Written by \`npm run gen\` from openapi.json. Do not edit.
`

/**
 * @param {{ components?: { schemas?: Record<string, Schema> } }} document
 * @returns {string} the text of types.ts
 */
export function typesOf(document) {
  const schemas = Object.entries(document.components?.schemas ?? {})
  const sorted = schemas.toSorted(([a], [b]) => (a < b ? -1 : 1))
  return [HEAD, ...sorted.map(([name, schema]) => declaration(name, schema))].join('\n')
}

/** @param {string} name @param {Schema} schema */
function declaration(name, schema) {
  const doc = comment(schema.description, '')
  if (schema.properties) return `${doc}export interface ${name} ${members(schema, '')}\n`
  return `${doc}export type ${name} = ${typeOf(schema, '')}\n`
}

/** @param {Schema} schema @param {string} indent @returns {string} */
function members(schema, indent) {
  const inner = `${indent}  `
  const required = new Set(schema.required)
  // An optional field of an answer may be absent or null: the recorder leaves out what it skips.
  const lines = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const mark = required.has(name) ? '' : '?'
    const type = typeOf(property, inner)
    return `${comment(property.description, inner)}${inner}${name}${mark}: ${type}\n`
  })
  return `{\n${lines.join('')}${indent}}`
}

/** @param {Schema} schema @param {string} indent @returns {string} */
function typeOf(schema, indent) {
  if (schema.$ref) return schema.$ref.replace('#/components/schemas/', '')
  const union = schema.oneOf ?? schema.allOf
  if (union) return union.map((part) => typeOf(part, indent)).join(schema.oneOf ? ' | ' : ' & ')
  if (schema.enum) return schema.enum.map((value) => `'${value}'`).join(' | ')
  if (Array.isArray(schema.type)) {
    return schema.type.map((type) => typeOf({ ...schema, type }, indent)).join(' | ')
  }
  switch (schema.type) {
    case undefined:
      return 'unknown'
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type
    case 'integer':
    case 'number':
      return 'number'
    case 'array':
      return arrayOf(typeOf(schema.items ?? {}, indent))
    case 'object':
      return schema.properties ? members(schema, indent) : 'Record<string, unknown>'
    default:
      throw new Error(`a schema of type ${schema.type} has no TypeScript form here yet`)
  }
}

/** @param {string} item */
function arrayOf(item) {
  return item.includes(' ') ? `(${item})[]` : `${item}[]`
}

/** @param {string | undefined} text @param {string} indent */
function comment(text, indent) {
  if (!text) return ''
  const lines = text.replaceAll('*/', '* /').split('\n')
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`
  const body = lines.map((line) => `${indent} *${line && ` ${line}`}\n`).join('')
  return `${indent}/**\n${body}${indent} */\n`
}
