// LocalAgent
