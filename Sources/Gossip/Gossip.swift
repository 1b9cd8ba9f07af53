// Gossip: who is in the pool, told from node to node.
