// ConsulClient
