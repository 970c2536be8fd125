// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {OwnedModule} from "./base/PausableModule.sol";

/// Takes the protocol fee of every finished job, burns a share and keeps the rest for the treasury.
contract FeePool is OwnedModule {
    address public constant BURN_ADDRESS = 0x000000000000000000000000000000000000dEaD;

    uint256 public burnPct;
    address public treasury;
    uint256 public totalReceived;
    uint256 public totalBurned;

    event FeeReceived(address indexed from, uint256 amount, uint256 burned);
    event TreasuryPaid(address indexed treasury, uint256 amount);
    event BurnPctUpdated(uint256 pct);
    event TreasuryUpdated(address indexed treasury);

    error InvalidPercentage(uint256 pct);
    error TreasuryNotSet();
    error TransferFailed();

    constructor(address owner_, address treasury_, uint256 burnPct_) OwnedModule(owner_) {
        treasury = treasury_;
        burnPct = burnPct_;
    }

    function depositFee() external payable whenNotPaused {
        uint256 burned = (msg.value * burnPct) / 100;
        totalReceived += msg.value;
        totalBurned += burned;
        emit FeeReceived(msg.sender, msg.value, burned);
        if (burned > 0) _send(BURN_ADDRESS, burned);
    }

    /// Anyone may push what has gathered to the treasury; it can go nowhere else.
    function distribute() external whenNotPaused {
        if (treasury == address(0)) revert TreasuryNotSet();
        uint256 amount = address(this).balance;
        emit TreasuryPaid(treasury, amount);
        _send(treasury, amount);
    }

    function setBurnPct(uint256 pct) external onlyOwner {
        if (pct > 100) revert InvalidPercentage(pct);
        burnPct = pct;
        emit BurnPctUpdated(pct);
    }

    function setTreasury(address treasury_) external onlyOwner {
        treasury = treasury_;
        emit TreasuryUpdated(treasury_);
    }

    function _send(address to, uint256 amount) private {
        (bool ok,) = to.call{value: amount}("");
        if (!ok) revert TransferFailed();
    }
}
