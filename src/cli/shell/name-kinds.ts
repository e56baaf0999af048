/** What `latentd completion SHELL --names` finds the names of. */
export const NAME_KINDS = ['models', 'workflows', 'inputs', 'jobs'] as const;
export type NameKind = (typeof NAME_KINDS)[number];
