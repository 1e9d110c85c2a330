"""A regency as its outside world sees it, and the month that is played.

`world` who lives where; `draws` chance, by hash; `fate` what would happen in the month, drawn once; `calendar` its
steps. Feeds turn fate and the facts that come back into submissions: `register`, `life`, `partners`, `depots`,
`visits`, `deliveries`, `offices`, `decisions`, `candidates`. `sending` brings them to Kafka and HTTP, `facts` hears
the answers, `rest` waits until the system has nothing left to do, `play` is the loop, `progress` shows it. `history`
and `evidence` gather what Kafka, databases and logs hold, and `reconciliation` decides whether everything that was
said came true once.
"""
