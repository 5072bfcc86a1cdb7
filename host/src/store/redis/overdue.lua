-- The tasks whose lease has run out, the longest overdue first.
return call('ZRANGE', base .. 'leases', '-inf', whole(now), 'BYSCORE')
