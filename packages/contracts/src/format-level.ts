/**
 * The level of the records and orders that this release writes and understands. It grows with each
 * change that an older release would read otherwise (docs/formats/README.md). A group of routers or
 * custodians has members of one level.
 */
export const FORMAT_LEVEL = 5;
