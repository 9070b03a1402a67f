import { authorization, type SecretFiles } from '../../reach/credentials.ts';
import type { OtlpSettings } from './settings.ts';

/** Headers of a request, secrets from files included. @throws CredentialsError */
export type RequestHeaders = () => Promise<Readonly<Record<string, string>>>;

export function requestHeaders(
  { headers, headerFiles, auth }: Pick<OtlpSettings, 'headers' | 'headerFiles' | 'auth'>,
  files: SecretFiles,
): RequestHeaders {
  return async () => {
    const all: Record<string, string> = { ...headers };
    for (const [name, path] of Object.entries(headerFiles)) all[name.toLowerCase()] = await files.text(path);
    const own = await authorization(auth, files);
    if (own !== undefined) all.authorization = own;
    return all;
  };
}
