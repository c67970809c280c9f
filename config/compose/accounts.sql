-- One account for the proxy, which reads the catalog with it, and one for its clients.
CREATE USER 'proxy'@'%' IDENTIFIED BY 'proxy';
GRANT SELECT, SHOW VIEW ON *.* TO 'proxy'@'%';
CREATE USER 'lab'@'%' IDENTIFIED BY 'lab';
GRANT ALL ON *.* TO 'lab'@'%';
