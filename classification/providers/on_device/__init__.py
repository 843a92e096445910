"""A model that runs on this machine: free, without a network, and less sure than a large one."""
