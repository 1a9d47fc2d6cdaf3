#include "service/peer.h"

int peer_call(struct peer *peer, const struct peer_call *call, peer_done *done, void *user)
{
	return peer->call(peer, call, done, user);
}

void peer_free(struct peer *peer)
{
	if (peer != NULL)
		peer->free(peer);
}
