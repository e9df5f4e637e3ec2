// The tokens by which an agent posts: when each was used last, and the way to revoke one or all of them.

import { useEffect, useState } from "preact/hooks";
import type { Api } from "../client/api.ts";
import { visibleText } from "../client/visible_text.ts";
import type { AgentState, AgentToken, AgentTokens } from "../protocol/protocol.ts";
import { CredentialsSheet, useAttempt } from "./credentials_sheet.tsx";
import { momentWords } from "./format.ts";
import { Icon } from "./icons.tsx";

interface TokensProps {
  readonly api: Api;
  readonly agent: AgentState;
}

/** Opens the sheet; only agents that run elsewhere have tokens. */
export function TokensButton({ api, agent }: TokensProps) {
  const [open, setOpen] = useState(false);
  if (agent.runtime !== null) return null;
  return (
    <>
      <button type="button" class="icon-button tokens" aria-haspopup="dialog" title="Tokens by which this agent posts" onClick={() => setOpen(true)}>
        <span class="hidden">Tokens</span>
        <Icon name="key" />
      </button>
      {open && <TokensSheet api={api} agent={agent} close={() => setOpen(false)} />}
    </>
  );
}

function TokensSheet({ api, agent: { rig_id, agent_id, name }, close }: TokensProps & { readonly close: () => void }) {
  const [known, setKnown] = useState<AgentTokens | null>(null);
  const { problem, attempt } = useAttempt();
  const load = async () => setKnown(await api.agentTokens(rig_id, agent_id));
  useEffect(() => void attempt(load), []);

  const revoke = (step: () => Promise<unknown>) => attempt(async () => {
    await step();
    await load();
  });
  const actions = (
    <button type="button" class="button small" onClick={() => void revoke(() => api.revokeAgentTokens(rig_id, agent_id))}>
      Revoke all
    </button>
  );
  return (
    <CredentialsSheet title={`Tokens of ${visibleText(name)}`} problem={problem} close={close} actions={actions}>
      {known?.tokens.length === 0 && <p class="soft">No token with an id is good at present.</p>}
      <ul>
        {known?.tokens.map((token) => (
          <li key={token.token_id}>
            <div>
              <strong title={token.token_id}>…{token.token_id.slice(-8)}</strong>
              <div class="soft">{tokenWords(token)}</div>
            </div>
            {token.revoked_at === null && (
              <button type="button" class="button small" title={`Revoke ${token.token_id}`} onClick={() => void revoke(() => api.revokeAgentToken(rig_id, agent_id, token.token_id))}>
                Revoke
              </button>
            )}
          </li>
        ))}
        {known !== null && (known.without_id.last_used_at !== null || known.without_id.revoked_at !== null) && (
          <li>
            <div>
              <strong>Without an id</strong>
              <div class="soft">{withoutIdWords(known)}</div>
            </div>
          </li>
        )}
      </ul>
    </CredentialsSheet>
  );
}

function tokenWords({ created_at, expires_at, last_used_at, revoked_at }: AgentToken): string {
  const end = revoked_at === null ? `good until ${momentWords(expires_at)}` : `revoked ${momentWords(revoked_at)}`;
  return `made ${momentWords(created_at)}, ${end}, ${usedWords(last_used_at)}`;
}

function withoutIdWords({ without_id: { last_used_at, revoked_at } }: AgentTokens): string {
  return revoked_at === null ? usedWords(last_used_at) : `${usedWords(last_used_at)}, those made until ${momentWords(revoked_at)} are revoked`;
}

function usedWords(last_used_at: string | null): string {
  return last_used_at === null ? "not used yet" : `last used ${momentWords(last_used_at)}`;
}
