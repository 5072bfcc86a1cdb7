// A real OpenID Connect provider on loopback, for host/tests/front/sign_in.rs. Whoever the header
// `x-sign-in-as` names has just signed in; the rest of the protocol is the package's.
//   node provider.mjs CLIENT_ID CLIENT_SECRET REDIRECT_URI LOGGED_OUT_URI      prints its address
// Without the last it has no log-out.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const [client_id, client_secret, redirect_uri, logged_out_uri] = process.argv.slice(2);
const people = {
  17: { preferred_username: "ann", roles: ["staff", "aiagent-admins"] },
  18: { preferred_username: "token", roles: ["aiagent-readers"] },
  19: { preferred_username: "eve", roles: ["strangers"] },
};

const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: [
    {
      client_id,
      client_secret,
      redirect_uris: [redirect_uri],
      ...(logged_out_uri ? { post_logout_redirect_uris: [logged_out_uri] } : {}),
    },
  ],
  claims: { openid: ["sub"], profile: ["preferred_username", "roles"] },
  conformIdTokenClaims: false,
  features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: Boolean(logged_out_uri) } },
  findAccount: (_, sub) => people[sub] && { accountId: sub, claims: () => ({ sub, ...people[sub] }) },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  // Nobody is asked whether the client may know them.
  async loadExistingGrant({ oidc }) {
    const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope("openid profile");
    await grant.save();
    return grant;
  },
  pkce: { required: () => true },
});
const answer = provider.callback();
server.on("request", (request, response) => {
  if (!request.url.startsWith("/interaction/")) return answer(request, response);
  const accountId = request.headers["x-sign-in-as"];
  const result = accountId
    ? { login: { accountId } }
    : { error: "access_denied", error_description: "End-User <b>aborted</b> interaction" };
  void provider.interactionFinished(request, response, result);
});
console.log(issuer);
