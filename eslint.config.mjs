import js from '@eslint/js';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['build/', 'dist/', 'node_modules/', 'coverage/'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'max-lines': ['error', 400],
      // Indexed reads are `T | undefined` here (noUncheckedIndexedAccess); in numeric loops the bound is the proof.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        // Types whose `toString` is their name in messages and in graphs.
        { allowNumber: true, allowBoolean: true, allow: [{ from: 'file', name: ['Dim', 'SymbolicDim'] }] },
      ],
    },
  },
  {
    // Examples have tsconfigs of their users'; here, what they import is this checkout.
    files: ['examples/**/*.ts'],
    languageOptions: { parserOptions: { projectService: false, project: ['tsconfig.json'] } },
  },
  {
    // Read by browsers as they are.
    files: ['data/page/*.js'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'addEventListener',
          'Blob',
          'crypto',
          'document',
          'EventSource',
          'fetch',
          'File',
          'localStorage',
          'matchMedia',
          'sessionStorage',
          'setTimeout',
          'URL',
          'URLSearchParams',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
  {
    files: ['**/*.mjs'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      globals: Object.fromEntries(
        ['process', 'console', 'Blob', 'Buffer', 'FormData', 'URL', 'fetch', 'setTimeout'].map((name) => [
          name,
          'readonly',
        ]),
      ),
    },
  },
);
