// The steps of ../README.md for MariaDB Connector/J: useServerPrepStmts decides between text and prepared.

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;

public final class WithConnectorJ {
    private static final String INSERT = "INSERT INTO trace (note, data, raw) VALUES (?, ?, ?)";
    private static final List<String> NAMES = List.of("0", "1", "1M", "17M");

    private static Connection connection;
    private static Path folder;

    /** What a step does; it returns the members of its line of JSON. */
    private interface Act {
        String run() throws SQLException, IOException;
    }

    public static void main(String[] arguments) throws Exception {
        folder = Path.of(arguments[8]);
        String url = "jdbc:mariadb://" + arguments[0] + ":" + arguments[1] + "/" + arguments[4]
            + "?user=" + arguments[2] + "&password=" + arguments[3]
            + "&useSsl=" + arguments[5].equals("on") + "&trustServerCertificate=true"
            + "&useCompression=" + arguments[6].equals("on")
            + "&useServerPrepStmts=" + arguments[7].equals("prepared")
            + "&useBulkStmts=" + arguments[7].equals("prepared")
            + "&allowPublicKeyRetrieval=true&dumpQueriesOnException=false";
        connection = DriverManager.getConnection(url);

        tell("driver", "\"version\": " + quoted(connection.getMetaData().getDriverVersion()));
        for (String name : NAMES) {
            step("insert " + name, () -> insert(name, value(name, "data"), value(name, "raw")));
        }
        step("insert null", () -> insert("null", null, null));
        for (String name : NAMES) {
            step("select " + name, () -> select(name));
        }
        step("select null", () -> select("null"));
        step("many", WithConnectorJ::many);
        step("update", WithConnectorJ::update);
        step("rollback", () -> inTransaction("gone", "1M", false));
        step("commit", () -> inTransaction("kept", "1", true));
        step("duplicate", WithConnectorJ::duplicate);
        step("unknown", WithConnectorJ::unknown);
        step("warning", WithConnectorJ::warning);
        step("delete", WithConnectorJ::delete);
        connection.close();
    }

    private static String insert(String note, byte[] data, byte[] raw) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(INSERT, Statement.RETURN_GENERATED_KEYS)) {
            bind(statement, 1, note, data, raw);
            int affected = statement.executeUpdate();
            try (ResultSet keys = statement.getGeneratedKeys()) {
                String id = keys.next() ? keys.getString(1) : "null";
                return "\"affected\": " + affected + ", \"id\": " + id;
            }
        }
    }

    private static void bind(PreparedStatement statement, int first, String note, byte[] data, byte[] raw)
        throws SQLException {
        statement.setString(first, note);
        int at = first;
        for (byte[] value : new byte[][] {data, raw}) {
            at += 1;
            if (value == null) {
                statement.setNull(at, Types.BLOB);
            } else {
                statement.setBytes(at, value);
            }
        }
    }

    private static String select(String name) throws SQLException, IOException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT data, raw FROM trace WHERE note = ?")) {
            statement.setString(1, name);
            try (ResultSet rows = statement.executeQuery()) {
                rows.next();
                List<String> told = new ArrayList<>();
                for (String column : List.of("data", "raw")) {
                    byte[] found = rows.getBytes(column);
                    if (found != null) {
                        Files.write(folder.resolve("out").resolve(name + "." + column), found);
                    }
                    told.add(quoted(column) + ": " + (found == null ? "null" : found.length));
                }
                return String.join(", ", told);
            }
        }
    }

    private static String many() throws SQLException, IOException {
        try (PreparedStatement statement = connection.prepareStatement(INSERT)) {
            for (int number = 1; number <= 3; number++) {
                bind(statement, 1, "many " + number, value("1", "data"), value("1", "raw"));
                statement.addBatch();
            }
            return "\"batches\": " + statement.executeBatch().length;
        }
    }

    private static String update() throws SQLException, IOException {
        try (PreparedStatement statement = connection.prepareStatement("UPDATE trace SET data = ? WHERE id = ?")) {
            statement.setBytes(1, value("1M", "data"));
            statement.setInt(2, 2);
            return "\"affected\": " + statement.executeUpdate();
        }
    }

    private static String inTransaction(String note, String name, boolean isCommitted) throws SQLException, IOException {
        connection.setAutoCommit(false);
        try {
            insert(note, value(name, "data"), value(name, "raw"));
            if (isCommitted) {
                connection.commit();
            }
        } finally {
            connection.rollback();
            connection.setAutoCommit(true);
        }
        try (PreparedStatement statement = connection.prepareStatement("SELECT COUNT(*) FROM trace WHERE note = ?")) {
            statement.setString(1, note);
            try (ResultSet rows = statement.executeQuery()) {
                rows.next();
                return "\"rows\": " + rows.getInt(1);
            }
        }
    }

    private static String duplicate() throws SQLException, IOException {
        String statement = "INSERT INTO trace (id, note, data, raw) VALUES (?, ?, ?, ?)";
        try (PreparedStatement prepared = connection.prepareStatement(statement)) {
            prepared.setInt(1, 3);
            bind(prepared, 2, "again", value("1M", "data"), value("1M", "raw"));
            prepared.executeUpdate();
            return "";
        }
    }

    private static String unknown() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT nothing FROM trace WHERE note = ?")) {
            statement.setString(1, "1");
            statement.executeQuery();
            return "";
        }
    }

    private static String warning() throws SQLException, IOException {
        try (PreparedStatement statement = connection.prepareStatement(INSERT.replace("INSERT", "INSERT IGNORE"))) {
            bind(statement, 1, "x".repeat(30), value("1", "data"), value("1", "raw"));
            int affected = statement.executeUpdate();
            List<String> warnings = new ArrayList<>();
            try (Statement asking = connection.createStatement(); ResultSet rows = asking.executeQuery("SHOW WARNINGS")) {
                while (rows.next()) {
                    warnings.add("[" + quoted(rows.getString(1)) + ", " + rows.getInt(2) + ", " + quoted(rows.getString(3)) + "]");
                }
            }
            return "\"affected\": " + affected + ", \"warnings\": " + warnings;
        }
    }

    private static String delete() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("DELETE FROM trace WHERE note = ?")) {
            statement.setString(1, "0");
            return "\"affected\": " + statement.executeUpdate();
        }
    }

    private static void step(String name, Act act) throws IOException {
        try {
            tell(name, act.run());
        } catch (SQLException error) {
            // The number of the connection, which the driver puts before the server's words, always differs.
            String message = String.valueOf(error.getMessage()).replaceFirst("^\\(conn[:=]\\d+\\) ", "");
            tell(name, "\"error\": {\"code\": " + error.getErrorCode() + ", \"sqlstate\": " + quoted(error.getSQLState())
                + ", \"message\": " + quoted(message) + "}");
        }
    }

    private static void tell(String step, String members) {
        System.out.println("{\"step\": " + quoted(step) + (members.isEmpty() ? "" : ", " + members) + "}");
    }

    private static byte[] value(String name, String column) throws IOException {
        return Files.readAllBytes(folder.resolve("in").resolve(name + "." + column));
    }

    private static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : String.valueOf(text).toCharArray()) {
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return out.append('"').toString();
    }
}
